/** The texts around a message at the bottom of the page. */
export const toast = {
  'toast.title': 'Message',
  'toast.undo': 'Undo',
  'toast.close': 'Close message',
};
