// Puts one iframe with the feed beside the script's own tag, as high as its content.
(() => {
  const script = document.currentScript;
  if (!script) return;
  const asked = script.dataset, inHead = script.closest('head');
  const address = new URL('embed', script.src);
  for (const name of {{ names|tojson }}) if (name in asked) address.searchParams.set(name, asked[name]);
  const style = (element, rules) => {
    for (const name in rules) element.style.setProperty(name, rules[name], 'important');
  };

  // What the grid will need, by its own rules: this space is kept until the frame says it itself.
  const estimate = width => {
    const number = (name, usual) => +(asked[name] ?? usual);
    const limit = Math.min(number('limit', 12), {{ posts }}), gap = number('gap', 4);
    const columns = number('columns', width < 360 ? 2 : width < 720 ? 3 : width < 1280 ? 4 : 6);
    const isRow = asked.layout == 'carousel', rows = isRow ? 1 : Math.ceil(limit / columns);
    const tile = isRow ? (width - columns * gap) / (columns + {{ peek }}) : (width + gap) / columns - gap;
    const picture = tile * ({portrait: 1.25, tall: 4 / 3}[asked.ratio] || 1) + number('captions', 0) * 76;
    return rows * (picture + gap) - gap + number('header', 0) * (width < 576 ? 230 : 150) + (limit < {{ posts }}) * 76.5 || 400;
  };

  const place = () => {
    const frame = document.createElement('iframe'), mark = inHead ? address : '';
    let link = script.previousElementSibling, answered;
    // What an earlier run has made goes. It follows its tag, and what comes next may be another tag's; but what a tag in
    // the head makes is at the end of the body, where it is known by its address.
    for (const made of [`iframe[data-igfeed="${mark}"]`, `a[data-igfeed="${mark}"]`]) {
      const after = inHead ? document.querySelector(made) : script.nextElementSibling;
      if (after?.matches(made)) after.remove();
    }
    frame.dataset.igfeed = mark;
    frame.title = asked.title || {{ title|tojson }};
    frame.loading = 'lazy';
    frame.referrerPolicy = 'strict-origin-when-cross-origin';
    frame.src = address;
    style(frame, {display: 'block', width: '100%', 'max-width': 'none', margin: 0, padding: 0, border: 0, float: 'none', position: 'static', opacity: 1, visibility: 'visible'});
    inHead ? document.body.append(frame) : script.after(frame);
    style(frame, {height: `${estimate(frame.clientWidth)}px`});
    if (!link?.matches('a[href*=".instagram.com/"]:not([data-igfeed])')) {
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
      if (!(data?.igfeed > 0) || source != frame.contentWindow || origin != address.origin) return;
      answered || show(answered = true);
      // Not by frame-sizing: Chromium 156 measures with the first width it saw, so a turned phone would cut the feed off.
      style(frame, {height: `${Math.min(data.igfeed, 20000)}px`});
    });
  };
  inHead && document.readyState == 'loading' ? addEventListener('DOMContentLoaded', place) : place();
})();
