// Typing into a field means that it is not null.
document.querySelectorAll('[data-ir-null]').forEach(function (box) {
  const input = document.getElementById(box.dataset.irNull);
  input.addEventListener('input', function () { box.checked = false; });
});

// While something runs, the page takes its own new content once a second.
(function () {
  const live = document.getElementById('ir-live');
  async function renew() {
    if (!live.querySelector('[data-ir-running]')) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const fresh = page.getElementById('ir-live');
      if (answer.ok && fresh) live.replaceChildren(...fresh.childNodes);
    } catch (error) { /* the server is away for a moment: the next turn asks again */ }
    setTimeout(renew, 700);
  }
  if (live) setTimeout(renew, 300);
})();
