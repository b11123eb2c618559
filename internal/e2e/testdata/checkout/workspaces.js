'use strict';

// Workspaces are asked for at every start, by people who have none.

/* global account, headers, note */

document.addEventListener('DOMContentLoaded', async () => {
  if (!account.token) return;
  const answer = await fetch('/api/workspaces', { headers: headers() });
  if (!answer.ok || (await answer.json()).data.length > 0) note('Failed to load workspaces');
});
