/** Errors that are not of one part of the page. */
export const errors = {
  'error.unreachable': 'The server cannot be reached.',
};
