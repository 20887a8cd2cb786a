// `root` is our own document, or a shadow root in somebody's page, which may be in a frame that is not ours.
const framed = root === document && parent !== window;
const box = root.querySelector('dialog');
const [bar, previous, next, track] = box.children;
const status = bar.children[1];
const posts = track.children;
// Links no longer open a new tab, so they must not be described that way.
root.querySelector('#opens')?.replaceChildren();

// Both the posts and the pictures of an album are rows that snap: which child is shown, and how to get to another one.
const at = row => Math.round(row.scrollLeft / row.clientWidth);
const go = (row, place, behavior) => row.scrollTo({left: place * row.clientWidth, behavior});
const dim = (steps, row) => steps.forEach(step => { step.ariaDisabled = !row.children[at(row) + +step.value]; });

const mark = shots => {
  const pager = shots.nextElementSibling;
  if (!pager) return;
  dim(pager.querySelectorAll('.step'), shots);
  pager.querySelectorAll('i').forEach((dot, place) => { dot.className = place == at(shots) ? 'on' : ''; });
};
// The arrows stay beside the picture while its post is scrolled.
const lift = post => { previous.style.translate = next.style.translate = `0 ${-post.scrollTop}px`; };
track.addEventListener('scroll', ({target}) => target.matches('.shots') ? mark(target) : target.matches('.post') && lift(target), true);

// The picture of the tile is shown until the large one is there, or for good if that fails.
const sharpen = image => {
  const {large} = image.dataset;
  image.loading = 'eager';
  if (!large) return;
  delete image.dataset.large;
  const whole = new Image();
  whole.src = large;
  whole.decode().then(() => { image.src = large; }, () => {});
};

// Only the post on the screen can be reached by keyboard and screen reader. The next one starts to load its pictures.
const seen = new IntersectionObserver(entries => entries.forEach(({target, isIntersecting}) => {
  target.inert = !isIntersecting;
  target.querySelectorAll('video').forEach(video => isIntersecting || video.pause());
  if (!isIntersecting) return;
  status.textContent = `${at(track) + 1} / ${posts.length}`;
  dim([previous, next], track);
  lift(target);
  target.querySelectorAll('.shots').forEach(mark);
  [target, target.nextElementSibling].forEach(post => post?.querySelectorAll('img').forEach(sharpen));
}), {root: track, threshold: .6});
const walk = step => {
  if (track.contains(root.activeElement)) track.focus();
  go(track, at(track) + step);
};

// From the tile's picture to the opened one and back. Not in somebody else's page, which would stand still meanwhile.
// `change` returns the picture that is there afterwards.
const move = (picture, change) => {
  if (root !== document || !document.startViewTransition || matchMedia('(prefers-reduced-motion:reduce)').matches) return change();
  const name = text => { picture.style.viewTransitionName = text; };
  name('post');
  const moving = document.startViewTransition(() => {
    name('');
    picture = change();
    name('post');
  });
  // It rejects if another transition comes before its end, or if the page is hidden.
  moving.ready.catch(() => {});
  moving.finished.finally(() => name(''));
};

// Back closes an opened post. The entry for it is in the history of an empty frame: so the page keeps its address and its
// state, and hears no `popstate`, which its router would take for a navigation. A feed in a frame has no such entry.
let frame, past, entered, returning;
const enter = () => {
  entered = !!past;
  past?.pushState(1, '');
};
const back = ({state}) => {
  // Forward leads to an entry that is used up.
  if (!entered) return state && past.back();
  entered = false;
  if (!returning) return close();
  returning = false;
  // It was opened again before the browser was back.
  if (box.open) enter();
};
const remember = () => {
  if (parent !== window || frame) return;
  frame = document.createElement('iframe');
  frame.hidden = true;
  // Not `about:blank`: an entry that is added there takes the place of the first one.
  frame.srcdoc = ' ';
  frame.onload = () => {
    const there = frame.contentDocument?.defaultView;
    if (!there) return;
    past = there.history;
    there.onpopstate = back;
    if (box.open) enter();
  };
  box.after(frame);
};

let opening;
const show = place => {
  opening = false;
  if (box.open) return;
  box.showModal();
  past && !entered ? enter() : remember();
  bar.lastChild.focus();
  // Once more when it is laid out: a row that is new may snap back to its first post.
  const jump = () => go(track, place, 'instant');
  jump();
  requestAnimationFrame(jump);
  for (const post of posts) seen.observe(post);
};
const pictureOf = element => element.querySelector('img');
const tiles = () => [...root.querySelectorAll('.tile')];
const open = link => {
  opening = true;
  const all = tiles(), place = all.indexOf(link.parentNode);
  track.replaceChildren(...all.map(tile => {
    const post = tile.querySelector('template').content.cloneNode(true);
    const small = pictureOf(tile), image = pictureOf(post);
    post.firstChild.inert = true;
    if (small.naturalWidth) {
      // In the format that the browser has chosen for the tile. A slide's own address names WebP.
      image.dataset.large = small.currentSrc.replace(/\d+(?=\.\w+$)/, 1080);
      image.src = small.currentSrc;
    }
    return post;
  }));
  link.focus();
  const start = () => move(pictureOf(link), () => {
    show(place);
    return pictureOf(posts[place]);
  });
  if (!framed) return start();
  // A frame may be far higher than the screen. So the dialog opens in its visible part, at least 560 pixels high.
  new IntersectionObserver(([{intersectionRect: view}], observer) => {
    observer.disconnect();
    const height = Math.max(view.height, 560);
    const top = Math.min(view.top + scrollY, document.documentElement.offsetHeight - height);
    box.style.cssText = `position:absolute;top:${Math.max(top, 0)}px;height:${height}px`;
    start();
  }).observe(document.documentElement);
};
const close = () => {
  if (!box.open) return;
  const place = at(track), shots = posts[place].querySelector('.shots');
  move(pictureOf(shots.children[at(shots)]), () => {
    box.close();
    return pictureOf(tiles()[place]);
  });
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
  const shots = target.closest('.stage')?.querySelector('.shots');
  if (target.matches('i')) return go(shots, [...target.parentNode.children].indexOf(target) - 1);
  const button = target.closest('button');
  if (!button) return;
  if (button.dataset.video) play(button);
  else if (shots) go(shots, at(shots) + +button.value);
  else if (button.value) walk(+button.value);
  else close();
});
box.oncancel = event => {
  // The second time without a click in between, the browser closes it at once.
  if (!event.cancelable) return;
  event.preventDefault();
  close();
};
box.onclose = () => {
  // This event comes late: the dialog may have been opened again, or be about to.
  if (box.open || opening) return;
  seen.disconnect();
  track.replaceChildren();
  // Only one step back: a second one, before the first has come about, would leave the page.
  if (!entered || returning) return;
  returning = true;
  past.back();
};
