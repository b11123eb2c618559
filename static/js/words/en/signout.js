/** The texts of signing out. */
export const signout = {
  'signout.do': 'Sign out',
  'signout.question': 'Sign out?',
  'signout.stay': 'Stay',
  'signout.waiting': {
    one: '{count} change has not reached the server yet. It stays in this browser and will be sent when you sign in again.',
    other: '{count} changes have not reached the server yet. They stay in this browser and will be sent when you sign in again.',
  },
};
