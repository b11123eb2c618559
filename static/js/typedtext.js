/**
 * Keeps a dialog from closing over what somebody typed into it.
 *
 * Text counts as typed while a field differs from what it had before somebody went to
 * it. Text that was submitted counts only if an error then stands in its form.
 * Passwords do not count.
 */
const before = new WeakMap(); // control to {value, submitted}

/** Whether element has a field with typed text. */
export function hasTyped(element) {
  return controlsOf(element).some((control) => {
    const { value, submitted } = before.get(control) ?? control;
    return value !== control.value && (!submitted || isRefused(control));
  });
}

/** Whether an open dialog has. */
export function hasTypedInDialog() {
  return [...document.querySelectorAll('dialog[open]')].some(hasTyped);
}

function controlsOf(element) {
  return [...element.querySelectorAll('input:not([type="password"], [type="radio"], [type="checkbox"]), textarea, select')];
}

function isRefused({ form }) {
  return Boolean(form?.querySelector('[aria-invalid="true"], [role="alert"]:not(:empty)'));
}

/** Follows what is typed into element. */
export function watchTyping(element) {
  const remember = ({ target }) => {
    const known = before.get(target);
    if (known?.submitted && isRefused(target)) {
      submitted(target.form, false);
    } else if ('value' in target && (!known || known.submitted)) {
      before.set(target, { value: target.value });
    }
  };
  element.addEventListener('focusin', remember);
  element.addEventListener('beforeinput', remember);
  element.addEventListener('submit', ({ target }) => submitted(target, true), true);
}

function submitted(form, value) {
  controlsOf(form).forEach((control) => before.has(control) && (before.get(control).submitted = value));
}

/**
 * Has a dialog ask before it closes over typed text: on Escape, on a click outside and
 * by the browser's own way back. ask() promises whether the text may go. Returns what
 * closes the dialog in the same way; it promises whether it did.
 */
export function guardTyping(dialog, ask) {
  let asking = null;
  const mayClose = async () => !hasTyped(dialog) || (asking ??= ask().finally(() => { asking = null; }));
  const dismiss = async () => {
    const closes = await mayClose();
    closes && dialog.close();
    return closes;
  };
  watchTyping(dialog);
  const own = (event, act) => event.target.closest('dialog') === dialog && !event.defaultPrevented && (event.preventDefault(), act());
  // A browser closes a dialog at the second Escape whatever its cancel event says, so the key is taken first.
  dialog.addEventListener('keydown', (event) => event.key === 'Escape' && own(event, dismiss));
  dialog.addEventListener('cancel', (event) => own(event, dismiss));
  dialog.addEventListener('mousedown', (event) => event.target === dialog && (event.preventDefault(), dismiss())); // which would take the focus from the question
  dialog.addEventListener('close', () => dialog.open || controlsOf(dialog).forEach((control) => before.delete(control)));
  return dismiss;
}
