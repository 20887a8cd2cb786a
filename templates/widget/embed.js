// Puts the feed beside its script tag: into the page, or into a frame as high as the feed.
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
    const address = new URL(`${scheme}${place}{{ page }}`), asked = new URLSearchParams(query);
    for (const name of {{ names|tojson }}) {
      const value = tag.dataset[name] ?? asked.get(name){% if look %} ?? {{ look|tojson }}[name]{% endif %};
      if (value != null) address.searchParams.set(name, value);
    }
    return [address, 'frame' in tag.dataset || asked.has('frame')];
  };
  const style = (element, rules) => {
    for (const name in rules) element.style.setProperty(name, rules[name], 'important');
  };
  const load = address => fetch(address).then(answer => answer.ok ? answer.text() : Promise.reject());

  // An estimate of the height by the rules of style.css. It reserves space until the feed is there.
  const estimate = (asked, width) => {
    const number = (name, usual) => +(asked.get(name) ?? usual);
    const limit = Math.min(number('limit', {{ defaults.limit }}), {{ posts }}), gap = number('gap', {{ defaults.gap }});
    const columns = number('columns', width < 360 ? 2 : width < 720 ? 3 : width < 1280 ? 4 : 6);
    const layout = asked.get('layout'), heights = {{ ratios|tojson }}, isRow = layout == 'carousel', rows = isRow ? 1 : Math.ceil((limit + (layout == 'highlight' && columns > 1) * 3 * Math.ceil(limit / 7)) / columns);
    const tile = isRow ? (width - columns * gap) / (columns + {{ peek }}) : (width + gap) / columns - gap;
    const picture = tile * (heights[layout] || heights[asked.get('ratio')] || 1) + number('captions', 0) * (tile < 200 ? 76 : 57);
    return rows * (picture + gap) - gap + number('header', 0) * (width < 576 ? 232 : 128) + (isRow ? 56 : (limit < {{ posts }}) * 76.5) || 400;
  };

  const hasPlace = tag => tag.isConnected && !tag.closest('head');

  // Puts the feed of a tag behind an element, or at the end of the body.
  const put = (tag, after = hasPlace(tag) ? tag : null) => {
    const [address, inFrame] = addressOf(tag), mark = after ? '' : address, title = tag.dataset.title || {{ title|tojson }};
    const own = 'a[href*=".instagram.com/"]:not([data-igfeed])';
    const made = `[data-igfeed="${mark}"]`;
    let link = after?.matches(own) ? after : after?.previousElementSibling, box, answered, old;
    // Remove what an earlier run has made. It follows its tag directly, as the next feed may be another tag's.
    // Feeds of tags in the head are at the end of the body, where they are found by their address.
    while ((old = after ? after.nextElementSibling : document.querySelector(made))?.matches(made)) old.remove();
    // A flex column would shrink the box without a `min-height`.
    const grow = height => style(box, {height: `${height}px`, 'min-height': `${height}px`});
    // A plain link replaces a feed that is refused or does not answer. Only the latest run counts.
    const show = isShown => {
      style(box, {display: isShown ? 'block' : 'none'});
      style(link, {display: isShown ? 'none' : 'inline'});
    };
    const wait = ms => setTimeout(() => answered || link.igfeed == address && show(), ms);
    const make = (name, values) => {
      const element = Object.assign(document.createElement(name), values);
      element.dataset.igfeed = mark;
      return element;
    };
    // Puts an element into the feed's place, and reserves its space.
    const use = element => {
      // Undo the page's styles for it. Our document has the scheme `light`: in a frame of another it would be opaque.
      style(element, {all: 'initial', 'color-scheme': 'light', display: 'block', width: '100%'});
      box ? box.replaceWith(element) : after ? after.after(element) : document.body.append(element);
      tag.igfeed = box = element;
      grow(estimate(address.searchParams, box.clientWidth));
      new IntersectionObserver(([{isIntersecting}], observer) => isIntersecting && observer.disconnect(wait(1e4))).observe(box);
    };
    const useFrame = () => {
      use(make('iframe', {
        title,
        loading: 'lazy',
        allow: 'fullscreen; picture-in-picture; autoplay',
        referrerPolicy: 'strict-origin-when-cross-origin',
        src: address,
        onload: () => wait(2e3),
      }));
      addEventListener('message', ({data, source, origin}) => {
        // Compare the host only, because the server may have redirected the frame from http to https.
{% if is_empty %}
        // Words in place of a height: there are no posts yet. They take the page's own style, beside the link. A script
        // that has seen the feed need not know of this.
        if (data?.igfeed?.big && source == box.contentWindow) return show(box.after(make('p', {textContent: data.igfeed})));
{% endif %}
        if (!(data?.igfeed > 0) || source != box.contentWindow || origin.split('/')[2] != address.host) return;
        answered || show(answered = true);
        // CSS `frame-sizing` is not enough: Chromium 156 measures once, so turning a phone would cut the feed off.
        grow(Math.min(data.igfeed, 2e4));
      });
    };

    if (inFrame) useFrame();
    else {
      use(make('div', {src: address.href}));
      // Whatever keeps the feed out of the page, such as its policy, may let a frame through.
      Promise.all([import(new URL('widget.js?v={{ version }}', address)), load(address)])
        .then(([{fill}, html]) => fill(box, html, title, address.searchParams.get('theme')))
        .then(() => show(answered = true), useFrame);
    }
    if (!link?.matches(own)) box.after(link = make('a', {href: {{ home|tojson }}, textContent: title}));
    link.igfeed = address;
    show(true);
  };

  const tagsIn = root => [...root.querySelectorAll('*')].flatMap(each =>
    each.shadowRoot ? tagsIn(each.shadowRoot) : each.localName == 'script' && parts(each)?.[1] == base ? [each] : []);
  const free = () => tagsIn(document).filter(tag => !tag.igfeed && hasPlace(tag));
  const until = event => new Promise(done => addEventListener(event, done));

  // Libraries like pjax remove script tags from what they insert. The HTML at the new address still has the tags.
  const lost = async () => {
    const bare = address => address.split('#')[0];
    if (bare(performance.getEntriesByType('navigation')[0].name) == bare(location.href)) return [];
    const page = new DOMParser().parseFromString(await load(location), 'text/html');
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
  if (addressOf(current)[0].search) return put(current);
  // Libraries and tag managers run a copy without options in the head, which is meant for a tag that has no feed yet.
  if (free()[0] && document.readyState != 'complete') await until('load');
  const [tag] = free();
  if (tag) return put(tag);
  const found = await lost().catch(() => []);
  found[0] ? found.forEach(each => put(...each)) : put(current);
})();
