import { amount } from './en/amount.js';
import { budgets } from './en/budgets.js';
import { categories } from './en/categories.js';
import { charts } from './en/charts.js';
import { days } from './en/days.js';
import { diagnostics } from './en/diagnostics.js';
import { entries } from './en/entries.js';
import { errors } from './en/errors.js';
import { figures } from './en/figures.js';
import { find } from './en/find.js';
import { form } from './en/form.js';
import { frame } from './en/frame.js';
import { shortcuts } from './en/shortcuts.js';
import { signout } from './en/signout.js';
import { status } from './en/status.js';
import { toast } from './en/toast.js';

/** The English texts of the page, by key. Each file below en/ has those of one part. */
export const words = {
  ...amount,
  ...budgets,
  ...categories,
  ...charts,
  ...days,
  ...diagnostics,
  ...entries,
  ...errors,
  ...figures,
  ...find,
  ...form,
  ...frame,
  ...shortcuts,
  ...signout,
  ...status,
  ...toast,
};

/** The language of these texts, and its direction. */
export const language = 'en';
export const direction = 'ltr';
