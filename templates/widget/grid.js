// `root` is our own document, or a shadow root in somebody's page, which may be in a frame that is not ours. For a shadow
// root, `load` resolves with the elements of the page at an address.
// Inside our iframe: send our height at once, because observers sleep while the frame is off the screen, and again
// whenever it changes.
if (root === document && parent !== window) {
  const {style} = document.documentElement;
  const tell = () => {
    // A scrollbar would make the feed narrower, and so lower, than it is in a frame that is high enough.
    style.overflow = 'hidden';
    parent.postMessage({igfeed: document.documentElement.offsetHeight}, '*');
    style.overflow = '';
    try { window.requestResize?.(); } catch {}
  };
  tell();
  new ResizeObserver(tell).observe(document.documentElement);
}

// "Older posts" adds to this page. If that fails, the link leads to the next page, as it does without script and between
// files, which may not fetch each other.
// It does not take somebody else's page away.
const grid = root.querySelector('.grid');
const pages = root.querySelector('.pages');
const older = page => page.querySelector('.pages [rel=next]');
const steps = root.querySelectorAll('.pages .step');
const fetched = async address => new DOMParser().parseFromString(await (await fetch(address)).text(), 'text/html');
const more = async link => {
  const page = await (load ?? fetched)(link.href);
  // A new post since this page was loaded moves the others on, so the next page may repeat some.
  const known = new Set([...grid.children].map(tile => tile.dataset.postId));
  const tiles = [...page.querySelectorAll('.grid > *')].filter(tile => !known.has(tile.dataset.postId));
  if (!tiles.length) throw 0;
  grid.append(...tiles);
  const next = older(page);
  next ? link.replaceWith(next) : link.remove();
  if (next) next.hidden = !!steps[0];
  const status = pages.nextElementSibling;
  status.textContent = `+${tiles.length} ${tiles[1] ? status.dataset.many : status.dataset.one}`;
  // A carousel adds posts while its visitor scrolls, so the focus stays where it is.
  steps[0] || (tiles[0].querySelector('a') ?? grid).focus({preventScroll: true});
};
let busy;
let added;
const add = (link, fail) => busy ??= more(link).catch(fail).finally(() => { busy = null; added?.(); });
pages?.addEventListener('click', event => {
  const link = event.target.closest('[rel=next]');
  if (!link || link.protocol == 'file:' || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  add(link, () => { if (root === document) location = link.href; });
});
