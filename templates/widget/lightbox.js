// `root` is our own document, or a shadow root in somebody's page, which may be in a frame that is not ours.
const framed = root === document && parent !== window;
const box = root.querySelector('dialog');
const [bar, track] = box.children;
const status = bar.firstChild;
const posts = track.children;
// Links no longer open a new tab, so they must not be described that way.
root.querySelector('#opens')?.replaceChildren();

// The buttons of an album. `left` has fractions on some screens, hence the 2 pixels.
const dim = shots => shots.parentNode.querySelectorAll('.step').forEach(step => {
  const left = shots.scrollLeft, end = shots.scrollWidth - shots.clientWidth;
  step.ariaDisabled = step.value < 0 ? left < 2 : left > end - 2;
});
track.addEventListener('scroll', ({target}) => target.matches('.shots') && dim(target), true);

// Only the post on the screen can be reached by keyboard and screen reader. The next one starts to load its pictures.
const seen = new IntersectionObserver(entries => entries.forEach(({target, isIntersecting}) => {
  target.inert = !isIntersecting;
  target.querySelectorAll('video').forEach(video => isIntersecting || video.pause());
  if (!isIntersecting) return;
  const here = [...posts].indexOf(target);
  status.textContent = `${here + 1} / ${posts.length}`;
  [...bar.querySelectorAll('.step')].forEach(step => { step.ariaDisabled = !posts[here + +step.value]; });
  target.querySelectorAll('.shots').forEach(dim);
  [target, target.nextElementSibling].forEach(post => post?.querySelectorAll('img').forEach(image => { image.loading = 'eager'; }));
}), {root: track, threshold: .6});
const here = () => Math.round(track.scrollLeft / track.clientWidth);
const go = (place, behavior) => track.scrollTo({left: place * track.clientWidth, behavior});
const walk = step => {
  if (track.contains(root.activeElement)) track.focus();
  go(here() + step);
};

const show = place => {
  box.showModal();
  bar.lastChild.focus();
  go(place, 'instant');
  for (const post of posts) seen.observe(post);
};
const open = link => {
  const tiles = [...root.querySelectorAll('.tile')];
  const place = tiles.indexOf(link.parentNode);
  track.replaceChildren(...tiles.map(tile => tile.querySelector('template').content.cloneNode(true)));
  link.focus();
  if (!framed) return show(place);
  // A frame may be far higher than the screen. So the dialog opens in its visible part, at least 560 pixels high.
  new IntersectionObserver(([{intersectionRect: view}], observer) => {
    observer.disconnect();
    const height = Math.max(view.height, 560);
    const top = Math.min(view.top + scrollY, document.documentElement.offsetHeight - height);
    box.style.cssText = `position:absolute;top:${Math.max(top, 0)}px;height:${height}px`;
    show(place);
  }).observe(document.documentElement);
};

const play = button => {
  const video = document.createElement('video');
  const gone = button.nextElementSibling;
  video.controls = video.autoplay = video.playsInline = true;
  video.onerror = () => {
    video.remove();
    gone.hidden = false;
    gone.querySelector('a')?.focus();
  };
  video.src = button.dataset.video;
  button.replaceWith(video);
  video.focus();
};

root.addEventListener('click', event => {
  const link = event.target.closest('.tile > a');
  if (!link || box.open || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  open(link);
});
root.addEventListener('keydown', event => {
  const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  const isTheirs = event.altKey || event.ctrlKey || event.metaKey || event.target.matches('.shots, video');
  if (!box.open || !step || isTheirs) return;
  event.preventDefault();
  walk(step);
});
box.addEventListener('click', ({target}) => {
  const button = target.closest('button');
  if (!button) return;
  const shots = button.parentNode.querySelector('.shots');
  if (button.dataset.video) play(button);
  else if (shots) shots.scrollBy({left: button.value * shots.clientWidth});
  else if (button.value) walk(+button.value);
  else box.close();
});
box.onclose = () => {
  // This event comes late: the dialog may have been opened again.
  if (box.open) return;
  seen.disconnect();
  track.replaceChildren();
};
