// Typing into a field means that it is not null.
document.querySelectorAll('[data-ir-null]').forEach(function (box) {
  const input = document.getElementById(box.dataset.irNull);
  input.addEventListener('input', function () { box.checked = false; });
});

// While something runs, the page takes its own new content once a second. Where only a follower is
// at work, it takes the changing parts: a button that somebody is about to press stays.
(function () {
  const live = document.getElementById('ir-live');
  async function renew() {
    const running = live.querySelector('[data-ir-running]');
    const changing = running ? [live] : [...live.querySelectorAll('[data-ir-changing]')];
    if (!changing.length) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      changing.forEach(function (old) {
        const fresh = page.getElementById(old.id);
        if (answer.ok && fresh) old.replaceChildren(...fresh.childNodes);
      });
    } catch (error) { /* the server is away for a moment: the next turn asks again */ }
    setTimeout(renew, 700);
  }
  if (live) setTimeout(renew, 300);
})();
