/** The names of the categories. */
export const categories = {
  'category.food': 'Food',
  'category.transport': 'Transport',
  'category.shopping': 'Shopping',
  'category.entertainment': 'Entertainment',
  'category.bills': 'Bills',
  'category.utilities': 'Utilities',
  'category.healthcare': 'Healthcare',
  'category.education': 'Education',
  'category.travel': 'Travel',
  'category.other': 'Other',
  'category.salary': 'Salary',
  'category.freelance': 'Freelance',
  'category.investment': 'Investment',
};
