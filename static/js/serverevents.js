/** Brings what the server tells live to the parts of the page that show it. */
export function listenToServer(context) {
  listenForExpenses(context);
  const on = (event, handle) => context.live.listen(event, handle);
  on('account:balance', (payload) => context.balance.setFromServer(payload));
  ['created', 'updated', 'deleted'].forEach((kind) => on(`budget:${kind}`, () => context.budgets.refreshSoon()));
  on('notification', (payload) => context.notifications.add(payload));
  on('notification_count', (payload) => context.notifications.setUnread(payload));
}

// A server may send each change under one name or under both; applying it twice is harmless.
function listenForExpenses(context) {
  const on = (kind, pick) => [`expense_${kind}`, `expense:${kind}`].forEach((event) => context.live.listen(event, (payload) => {
    context.expenseList.applyEvent({ kind, deviceId: payload.deviceId, ...pick(payload) });
    context.budgets.refreshSoon();
    // Perhaps by a decision on another device, which leaves nothing to decide here.
    context.parked.isAbout(payload._id ?? payload.id) && context.sync.refreshParked();
  }));
  on('created', (e) => ({ id: e._id, expense: e }));
  on('updated', (e) => ({ id: e._id, expense: e }));
  on('deleted', ({ id }) => ({ id }));
  context.live.listen('expense:shared', ({ expenseId, sharedWith }) => {
    context.expenseList.applyEvent({ kind: 'shared', id: expenseId, expense: { shared: sharedWith.length } });
  });
}
