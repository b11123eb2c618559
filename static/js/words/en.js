import { account } from './en/account.js';
import { amount } from './en/amount.js';
import { budgets } from './en/budgets.js';
import { categories } from './en/categories.js';
import { charts } from './en/charts.js';
import { days } from './en/days.js';
import { devices } from './en/devices.js';
import { diagnostics } from './en/diagnostics.js';
import { entries } from './en/entries.js';
import { errors } from './en/errors.js';
import { exporting } from './en/exporting.js';
import { figures } from './en/figures.js';
import { find } from './en/find.js';
import { form } from './en/form.js';
import { frame } from './en/frame.js';
import { history } from './en/history.js';
import { importing } from './en/importing.js';
import { invitations } from './en/invitations.js';
import { notifications } from './en/notifications.js';
import { parked } from './en/parked.js';
import { people } from './en/people.js';
import { shortcuts } from './en/shortcuts.js';
import { signin } from './en/signin.js';
import { signout } from './en/signout.js';
import { status } from './en/status.js';
import { toast } from './en/toast.js';

/** The English texts of the page, by key. Each file below en/ has those of one part. */
export const words = {
  ...account,
  ...amount,
  ...budgets,
  ...categories,
  ...charts,
  ...days,
  ...devices,
  ...diagnostics,
  ...entries,
  ...errors,
  ...exporting,
  ...figures,
  ...find,
  ...form,
  ...frame,
  ...history,
  ...importing,
  ...invitations,
  ...notifications,
  ...parked,
  ...people,
  ...shortcuts,
  ...signin,
  ...signout,
  ...status,
  ...toast,
};

/** The language of these texts, and its direction. */
export const language = 'en';
export const direction = 'ltr';
