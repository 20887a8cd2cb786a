// Puts an iframe with the feed beside its script tag, as high as the feed.
(async () => {
  const current = document.currentScript;

  // Our address in a script tag, also in a `data-` attribute where optimizers put it: base without scheme, and query.
  const OURS = /^(?:\w+:)?(\/\/[^?#]+\/)embed\.js\/?(?:\?([^#]*))?(?:#|$)/;
  const parts = tag => tag && [tag.src, ...Object.values(tag.dataset)].map(each => OURS.exec(each)).find(Boolean);
  // A module has no current tag, and in a bundle the tag has another address. The server's own idea of its address comes
  // last, because a proxy may hide the host.
  const base = parts(current)?.[1] ?? /\/\/[^\s?#]+\/(?=embed\.js)/.exec(Error().stack)?.[0] ?? {{ place|tojson }};
  const addressOf = tag => {
    const [, place = base, query] = parts(tag) ?? [];
    // Pages and scripts may be blobs, and a page may be a `srcdoc` in a frame: these have no http address of their own.
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

  // An estimate of the height by the rules of style.css. It reserves space until the frame sends its real height.
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

  // Puts the frame for a tag behind an element, or at the end of the body.
  const put = (tag, after = hasPlace(tag) ? tag : null) => {
    const address = addressOf(tag), frame = document.createElement('iframe'), mark = after ? '' : address;
    const own = 'a[href*=".instagram.com/"]:not([data-igfeed])';
    let link = after?.matches(own) ? after : after?.previousElementSibling, answered;
    // Remove what an earlier run has made. It follows its tag directly, as the next frame may be another tag's.
    // Frames of tags in the head are at the end of the body, where they are found by their address.
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
    // Undo the page's styles for iframes. Our document has the scheme `light`: in a frame of another it would be opaque.
    style(frame, {all: 'initial', 'color-scheme': 'light', display: 'block', width: '100%'});
    after ? after.after(frame) : document.body.append(frame);
    // A flex column would shrink the frame without a `min-height`.
    const grow = height => style(frame, {height: `${height}px`, 'min-height': `${height}px`});
    grow(estimate(address.searchParams, frame.clientWidth));
    if (!link?.matches(own)) {
      link = document.createElement('a');
      link.dataset.igfeed = mark;
      link.href = {{ home|tojson }};
      link.textContent = frame.title;
      frame.after(link);
    }

    // A plain link replaces a frame that is refused or does not answer. Only the latest run's frame counts.
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
      // Compare the host only, because the server may have redirected the frame from http to https.
      if (!(data?.igfeed > 0) || source != frame.contentWindow || origin.split('/')[2] != address.host) return;
      answered || show(answered = true);
      // CSS `frame-sizing` is not enough: Chromium 156 measures once, so turning a phone would cut the feed off.
      grow(Math.min(data.igfeed, 20000));
    });
  };

  const tagsIn = root => [...root.querySelectorAll('*')].flatMap(each =>
    each.shadowRoot ? tagsIn(each.shadowRoot) : each.localName == 'script' && parts(each)?.[1] == base ? [each] : []);
  const free = () => tagsIn(document).filter(tag => !tag.igfeed && hasPlace(tag));
  const until = event => new Promise(done => addEventListener(event, done));

  // Libraries like pjax remove script tags from what they insert. The HTML at the new address still has the tags.
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
    // A module runs once for all its tags, and `currentScript` is null for a tag in a shadow root.
    const tags = tagsIn(document).filter(tag => tag.src && tag.type != 'text/plain');
    for (const tag of tags) tag.igfeed || put(tag);
    return tags[0] || put(document.createElement('script'));
  }
  if (addressOf(current).search) return put(current);
  // Libraries and tag managers run a copy without options in the head, which is meant for a tag that has no feed yet.
  if (free()[0] && document.readyState != 'complete') await until('load');
  const [tag] = free();
  if (tag) return put(tag);
  const found = await lost().catch(() => []);
  found[0] ? found.forEach(each => put(...each)) : put(current);
})();
