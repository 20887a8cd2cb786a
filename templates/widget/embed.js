// Puts an iframe with the feed beside its tag, as high as its content.
(async () => {
  const current = document.currentScript;

  // The address of ours in a tag, wherever an optimizer has put it: where we are without the scheme, and what is asked.
  const OURS = /^(?:\w+:)?(\/\/[^?#]+\/)embed\.js\/?(?:\?([^#]*))?(?:#|$)/;
  const parts = tag => tag && [tag.src, ...Object.values(tag.dataset)].map(each => OURS.exec(each)).find(Boolean);
  // In a module there is no tag, in a bundle it has another's address. The server's word comes last: a proxy may hide the host.
  const base = parts(current)?.[1] ?? /\/\/[^\s?#]+\/(?=embed\.js)/.exec(Error().stack)?.[0] ?? {{ place|tojson }};
  const addressOf = tag => {
    const [, place = base, query] = parts(tag) ?? [];
    // Pages and scripts may be blobs, and a page may be none but a text in a frame of another one.
    const [scheme] = [tag.src, document.baseURI, 'https:'].map(each => /^https?:/.exec(each)).find(Boolean);
    const address = new URL(`${scheme}${place}embed`), asked = new URLSearchParams(query);
    for (const name of {{ names|tojson }}) {
      const value = tag.dataset[name] ?? asked.get(name);
      if (value != null) address.searchParams.set(name, value);
    }
    return address;
  };
  const style = (element, rules) => {
    for (const name in rules) element.style.setProperty(name, rules[name], 'important');
  };

  // What the grid will need, by its own rules: this space is kept until the frame says it itself.
  const estimate = (asked, width) => {
    const number = (name, usual) => +(asked.get(name) ?? usual);
    const limit = Math.min(number('limit', {{ defaults.limit }}), {{ posts }}), gap = number('gap', {{ defaults.gap }});
    const columns = number('columns', width < 360 ? 2 : width < 720 ? 3 : width < 1280 ? 4 : 6);
    const isRow = asked.get('layout') == 'carousel', rows = isRow ? 1 : Math.ceil(limit / columns);
    const tile = isRow ? (width - columns * gap) / (columns + {{ peek }}) : (width + gap) / columns - gap;
    const picture = tile * ({{ ratios|tojson }}[asked.get('ratio')] || 1) + number('captions', 0) * 76;
    return rows * (picture + gap) - gap + number('header', 0) * (width < 576 ? 230 : 150) + (limit < {{ posts }}) * 76.5 || 400;
  };

  const hasPlace = tag => tag.isConnected && !tag.closest('head');

  // What this tag asks for, after that element; at the end of the body where there is none.
  const put = (tag, after = hasPlace(tag) ? tag : null) => {
    const address = addressOf(tag), frame = document.createElement('iframe'), mark = after ? '' : address;
    const own = 'a[href*=".instagram.com/"]:not([data-igfeed])';
    let link = after?.matches(own) ? after : after?.previousElementSibling, answered;
    // What an earlier run has made goes. It follows its tag, and what comes next may be another tag's; but what a tag in
    // the head makes is at the end of the body, where it is known by its address.
    for (const made of [`iframe[data-igfeed="${mark}"]`, `a[data-igfeed="${mark}"]`]) {
      const old = after ? after.nextElementSibling : document.querySelector(made);
      if (old?.matches(made)) old.remove();
    }
    tag.igfeed = frame;
    frame.dataset.igfeed = mark;
    frame.title = tag.dataset.title || {{ title|tojson }};
    frame.loading = 'lazy';
    frame.allow = 'fullscreen; picture-in-picture; autoplay';
    frame.referrerPolicy = 'strict-origin-when-cross-origin';
    frame.src = address;
    // Whatever the page says of every iframe; its colour scheme is the one thing that is meant for what stands inside.
    style(frame, {all: 'initial', 'color-scheme': 'inherit', display: 'block', width: '100%'});
    after ? after.after(frame) : document.body.append(frame);
    // In a column of flexible boxes only the least height keeps it from being squeezed.
    const grow = height => style(frame, {height: `${height}px`, 'min-height': `${height}px`});
    grow(estimate(address.searchParams, frame.clientWidth));
    if (!link?.matches(own)) {
      link = document.createElement('a');
      link.dataset.igfeed = mark;
      link.href = {{ home|tojson }};
      link.textContent = frame.title;
      frame.after(link);
    }

    // Where the frame is refused or does not answer there is a plain link; it heeds the latest run's frame only.
    link.igfeed = frame;
    const show = isShown => {
      style(frame, {display: isShown ? 'block' : 'none'});
      style(link, {display: isShown ? 'none' : 'inline'});
    };
    const wait = seconds => setTimeout(() => answered || link.igfeed == frame && show(), seconds * 1000);
    show(true);
    frame.onload = () => wait(2);
    new IntersectionObserver(([{isIntersecting}], observer) => isIntersecting && observer.disconnect(wait(10))).observe(frame);
    addEventListener('message', ({data, source, origin}) => {
      // The host alone: a server may have sent the frame on from http to https.
      if (!(data?.igfeed > 0) || source != frame.contentWindow || origin.split('/')[2] != address.host) return;
      answered || show(answered = true);
      // Not by frame-sizing: Chromium 156 measures with the first width it saw, so a turned phone would cut the feed off.
      grow(Math.min(data.igfeed, 20000));
    });
  };

  const tagsIn = root => [...root.querySelectorAll('*')].flatMap(each =>
    each.shadowRoot ? tagsIn(each.shadowRoot) : each.localName == 'script' && parts(each)?.[1] == base ? [each] : []);
  const free = () => tagsIn(document).filter(tag => !tag.igfeed && hasPlace(tag));
  const until = event => new Promise(done => addEventListener(event, done));

  // pjax and its like take the tags out of what they put into the page, which the HTML at its new address still has.
  const lost = async () => {
    const bare = address => address.split('#')[0];
    if (bare(performance.getEntriesByType('navigation')[0].name) == bare(location.href)) return [];
    const page = new DOMParser().parseFromString(await (await fetch(location)).text(), 'text/html');
    return tagsIn(page).flatMap(tag => {
      const before = tag.previousElementSibling;
      const alike = root => [...root.querySelectorAll(before?.localName)].filter(each => each.isEqualNode(before));
      const after = alike(document)[alike(page).indexOf(before)];
      return after ? [[tag, after]] : [];
    });
  };

  if (current && hasPlace(current)) return current.igfeed || put(current);
  if (document.readyState == 'loading') await until('DOMContentLoaded');
  if (!current) {
    // A module runs once for all its tags, and a tag in a shadow root does not know itself.
    const tags = tagsIn(document).filter(tag => tag.src && tag.type != 'text/plain');
    for (const tag of tags) tag.igfeed || put(tag);
    return tags[0] || put(document.createElement('script'));
  }
  if (addressOf(current).search) return put(current);
  // Libraries and tag managers run a bare copy in the head. A tag that has no feed when all has loaded is what they mean.
  if (free()[0] && document.readyState != 'complete') await until('load');
  const [tag] = free();
  if (tag) return put(tag);
  const found = await lost().catch(() => []);
  found[0] ? found.forEach(each => put(...each)) : put(current);
})();
