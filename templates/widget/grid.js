{
  // In an iframe: say how high we are, at once (observers rest while we are off the screen) and whenever that changes.
  if (parent !== window) {
    const tell = () => {
      parent.postMessage({igfeed: document.documentElement.offsetHeight}, '*');
      try { window.requestResize?.(); } catch {}
    };
    tell();
    new ResizeObserver(tell).observe(document.documentElement);
  }

  // More posts come into this page; where that fails, the link leads to the next one as it does without us.
  const grid = document.querySelector('.grid');
  const pages = document.querySelector('.pages');
  const older = page => page.querySelector('.pages [rel=next]');
  const more = async link => {
    const html = await (await fetch(link.href)).text();
    const page = new DOMParser().parseFromString(html, 'text/html');
    const known = new Set([...grid.children].map(tile => tile.dataset.postId));
    const tiles = [...page.querySelectorAll('.grid > *')].filter(tile => !known.has(tile.dataset.postId));
    if (!tiles.length) throw 0;
    grid.append(...tiles);
    const next = older(page);
    next ? link.replaceWith(next) : link.remove();
    const status = pages.nextElementSibling;
    status.textContent = `+${tiles.length} ${tiles[1] ? status.dataset.many : status.dataset.one}`;
    (tiles[0].querySelector('a') ?? grid).focus({preventScroll: true});
  };
  let busy;
  pages?.addEventListener('click', event => {
    const link = event.target.closest('[rel=next]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    busy ??= more(link).catch(() => { location = link.href; }).finally(() => { busy = null; });
  });

  // A carousel's buttons.
  const steps = document.querySelectorAll('.strip > .step');
  const dim = () => steps.forEach(step => {
    const left = grid.scrollLeft, end = grid.scrollWidth - grid.clientWidth;
    step.ariaDisabled = step.value < 0 ? left < 2 : left > end - 2;
    step.hidden = end < 2;
  });
  if (steps[0]) {
    steps.forEach(step => { step.onclick = () => grid.scrollBy({left: step.value * grid.clientWidth * .9}); });
    grid.onscroll = dim;
    new ResizeObserver(dim).observe(grid);
  }
}
