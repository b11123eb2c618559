/** The texts around the panels: header, menu. */
export const frame = {
  'frame.menu': 'Menu',
};
