// Takes the phone offline and brings it back: the server cuts its connections.
const button = document.querySelector('#offline');

function show(offline) {
  button.setAttribute('aria-pressed', offline);
  button.textContent = offline ? 'Bring back online' : 'Take offline';
}

async function toggle() {
  const offline = button.getAttribute('aria-pressed') !== 'true';
  const { ok } = await fetch(`/demo/phone?offline=${offline}`, { method: 'POST' });
  ok && show(offline);
}

button.addEventListener('click', () => toggle().catch(() => {})); // the demo has ended
show(button.getAttribute('aria-pressed') === 'true');
