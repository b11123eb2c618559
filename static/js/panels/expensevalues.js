import { isDay } from '../days.js';
import { smallestAmount, typedAmount } from '../numbers.js';
import { isCurrencyName } from '../regioncurrency.js';
import { maxTagLength, maxTags, tagsBeyond } from '../tags.js';
import { text } from '../text.js';
import { amountFault } from './amount.js';

/** Earlier days are refused as typing errors: a year of two digits is in the first century. */
export const earliestDay = '1900-01-01';

/** What is wrong with an expense's values, by field; typed is the amount as it was typed, known the row that is changed. */
export function faultsOf({ description, category, date, currency, tags }, typed, known) {
  const faults = {
    amount: amountFault(typed, {
      enough: (amount) => amount >= smallestAmount, tooLittle: text('form.tooLittle', { least: typedAmount(smallestAmount) }),
      example: 12.5, place: text('form.currencyPlace'),
    }),
    date: dateFault(date, known),
    description: description ? '' : text('form.noDescription'),
    category: category ? '' : text('form.noCategory'),
    currency: currencyFault(currency, known),
    tags: tagsFault(tags),
  };
  return Object.fromEntries(Object.entries(faults).filter(([, fault]) => fault));
}

// Codes that no browser knows, such as USDT, are valid. A name would be counted as a currency of its own.
function currencyFault(currency, known) {
  if (isCurrencyName(currency) && currency !== known?.currency) {
    return text('form.nameOfCurrency', { name: currency });
  }
  return !currency || /^[A-Z]{3,5}$/.test(currency) ? '' : text('form.badCurrency');
}

function dateFault(date, known) {
  if (!date) {
    return text('form.noDate');
  }
  if (!isDay(date.slice(0, 10)) || /^\d{5}/.test(date)) {
    return text('form.lateDate');
  }
  return date < earliestDay && date !== known?.date ? text('form.earlyDate') : '';
}

function tagsFault(tags) {
  return { many: text('form.manyTags', { most: maxTags }), long: text('form.longTag', { most: maxTagLength }), '': '' }[tagsBeyond(tags)];
}

/** The values that are not empty. */
export function filled(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !isEmpty(value)));
}

/** The values that a known row has otherwise. */
export function changed(known, values) {
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => !same(value, known[name])));
}

function same(value, stored = '') {
  return isEmpty(value) ? isEmpty(stored) : JSON.stringify(value) === JSON.stringify(stored);
}

function isEmpty(value) {
  return value === '' || value?.length === 0;
}
