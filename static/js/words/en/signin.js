/** The texts of signing in and of creating an account. */
export const signin = {
  'signin.title': 'Sign in',
  'signin.create': 'Create an account',
  'signin.register': 'Create account',
  'signin.new': 'New here?',
  'signin.known': 'Have an account already?',
  'signin.name': 'Name',
  'signin.email': 'E-mail',
  'signin.password': 'Password',
  'signin.currency.later': 'Choose later',
  'signin.currency.hint': 'For totals and budgets. You can change it later.',
  'signin.show': 'Show password',
  'signin.closed': 'New accounts cannot be made here. Ask whoever runs this server for one.',
  'signin.missing': '{field} is missing.',
};
