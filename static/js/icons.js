/**
 * The icons: the attributes of their paths, in a square of 24. They are part of the
 * script, and not of a file that `use` refers to, since a browser makes a tree of its
 * own for each use.
 */
export const drawings = {
  mark: [{ d: 'M8.5 2.5h7a6 6 0 0 1 6 6v7a6 6 0 0 1 -6 6h-7a6 6 0 0 1 -6 -6v-7a6 6 0 0 1 6 -6z', fill: 'currentColor', stroke: 'none' }, { d: 'M7 15.5c2.2 0 2.6-7 5-7s2.8 7 5 7', stroke: 'var(--mark-line, #fff)', 'stroke-width': 2.2 }],
  food: line('M7 3v18M4.5 3v5a2.5 2.5 0 0 0 5 0V3M17 21v-7M17 14c-2 0-3-2-3-5.5S15.5 3 17 3z'),
  transport: line('M8 3.5h8a3 3 0 0 1 3 3v8a3 3 0 0 1 -3 3h-8a3 3 0 0 1 -3 -3v-8a3 3 0 0 1 3 -3zM5 11h14M8 17.5V20M16 17.5V20M8.5 14.3h.01M15.5 14.3h.01'),
  entertainment: line('M3.5 9V7a1.5 1.5 0 0 1 1.5-1.5h14A1.5 1.5 0 0 1 20.5 7v2a3 3 0 0 0 0 6v2a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 17v-2a3 3 0 0 0 0-6zM14 5.5v3M14 11v2M14 15.5v3'),
  utilities: line('M13 3 5.5 13.5H12L11 21l7.5-10.5H12z'),
  healthcare: line('M12 20s-8-4.7-8-10.4A4.4 4.4 0 0 1 12 7a4.4 4.4 0 0 1 8 2.6C20 15.3 12 20 12 20z'),
  shopping: line('M5.5 8h13l1 12.5h-15zM8.5 10.5V7a3.5 3.5 0 0 1 7 0v3.5'),
  other: line('M6 12h.01M12 12h.01M18 12h.01', 3),
  bills: line('M6 3.5h12v17l-2-1.5-2 1.5-2-1.5-2 1.5-2-1.5-2 1.5zM9.5 8.5h5M9.5 12.5h5'),
  education: line('M12 6.5C10 5 7 4.5 4 4.5v13c3 0 6 .5 8 2 2-1.5 5-2 8-2v-13c-3 0-6 .5-8 2zM12 6.5v13'),
  travel: line('m3.5 11.5 17-7-6 16.5-3.5-7zM11 14l4-4.5'),
  salary: line('M5.5 7.5h13a2 2 0 0 1 2 2v8a2 2 0 0 1 -2 2h-13a2 2 0 0 1 -2 -2v-8a2 2 0 0 1 2 -2zM9 7.5V6a2 2 0 0 1 2-2h2a2 2 0 0 1 2 2v1.5M3.5 12.5h17M12 11.5v2'),
  freelance: line('m4 20 1-4.5L16 4.5a2.1 2.1 0 0 1 3.5 3.5L8.5 19zM14 6.5l3.5 3.5'),
  investment: line('M4 18.5 9.5 12l3.5 3.5L20 7M15 7h5v5'),
  filter: line('M4 6.5h16M7.5 12h9M10.5 17.5h3'),
  earlier: line('M14.5 6 8.5 12l6 6'),
  later: line('m9.5 6 6 6-6 6'),
  edit: line('m5 19 .8-3.8L15.5 5.5a2.1 2.1 0 0 1 3 3L8.8 18.2zM13.5 7.5l3 3'),
  copy: line('M10.5 8.5h7a2 2 0 0 1 2 2v7a2 2 0 0 1 -2 2h-7a2 2 0 0 1 -2 -2v-7a2 2 0 0 1 2 -2zM5.5 15.5h-1v-11h11v1'),
  keyboard: line('M4.5 6h15a2 2 0 0 1 2 2v8a2 2 0 0 1 -2 2h-15a2 2 0 0 1 -2 -2v-8a2 2 0 0 1 2 -2zM6.5 10h.01M10 10h.01M14 10h.01M17.5 10h.01M8 14.3h8'),
  delete: line('M4.5 6.5h15M9.5 6.5V4.5h5v2M6.5 6.5l.8 13h9.4l.8-13M10 10.5v5M14 10.5v5'),
  undo: line('M8.5 5 4 9.5 8.5 14M4.5 9.5H14a5 5 0 0 1 0 10h-3'),
  close: line('m6 6 12 12M18 6 6 18'),
  clock: line('M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0 -17 0zM12 7.5V12l3 2'),
  eye: line('M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM9 12a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z'),
  all: line('M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0 -17 0zM8.5 12a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z'),
  bell: line('M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4'),
  leave: line('M13.5 4.5H6v15h7.5M10.5 12h10M17 8.5l3.5 3.5-3.5 3.5'),
  people: line('M5.5 8.5a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0zM2.5 19.5c.5-3.8 3-5.5 6.5-5.5s6 1.7 6.5 5.5M15.5 5.3a3.5 3.5 0 0 1 0 6.4M18 14.6c2 .8 3.2 2.4 3.5 4.9'),
  device: line('M6 5.5h12a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1 -1.5 1.5h-12a1.5 1.5 0 0 1 -1.5 -1.5v-7a1.5 1.5 0 0 1 1.5 -1.5zM2.5 18.5h19'),
  menu: line('M4 7h16M4 12h16M4 17h16'),
  add: line('M12 5v14M5 12h14', 2.25),
  save: line('M12 4.5v11M7.5 11l4.5 4.5 4.5-4.5M4.5 15v4.5h15V15'),
  entries: line('M8.5 6.5H20M8.5 12H20M8.5 17.5H20M4 6.5h.01M4 12h.01M4 17.5h.01'),
  overview: line('M5 19.5V11M12 19.5V4.5M19 19.5v-6'),
};

function line(d, width) {
  return [{ d, 'stroke-width': width }];
}
