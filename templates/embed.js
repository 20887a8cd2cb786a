// Puts one iframe with the feed beside the script's own tag, as high as its content.
(() => {
  const script = document.currentScript;
  if (!script || script.igfeed) return;
  script.igfeed = true;
  const {origin} = new URL(script.src);
  const asked = script.dataset;
  const query = new URLSearchParams();
  for (const name of {{ names|tojson }}) if (name in asked) query.set(name, asked[name]);

  const style = (element, rules) => {
    for (const name in rules) element.style.setProperty(name, rules[name], 'important');
  };
  const number = (name, usual) => parseInt(asked[name]) || usual;

  // What the grid will need, by its own rules: the space is kept until the frame says it itself.
  const estimate = width => {
    const limit = Math.min(number('limit', 12), {{ posts }}), gap = 'gap' in asked ? number('gap', 0) : 4;
    const columns = number('columns', width < 360 ? 2 : width < 720 ? 3 : width < 1280 ? 4 : 6);
    const shape = {portrait: 5 / 4, tall: 4 / 3}[asked.ratio] || 1;
    const caption = +asked.captions ? 76 : 0;
    const row = asked.layout === 'carousel';
    const tile = row ? (width - columns * gap) / (columns + {{ peek }}) : (width - (columns - 1) * gap) / columns;
    const rows = row ? 1 : Math.ceil(limit / columns);
    const rest = (+asked.header ? 190 : 0) + ({{ posts }} > limit ? 76.5 : 0);
    return rows * (tile * shape + caption) + (rows - 1) * gap + rest;
  };

  const place = () => {
    const frame = document.createElement('iframe');
    const before = script.previousElementSibling, after = script.nextElementSibling;
    let link = before?.matches('a[href^="https://www.instagram.com/"]') ? before : null;
    if (after?.matches('iframe[data-igfeed]')) after.remove();
    frame.dataset.igfeed = '';
    frame.title = asked.title || {{ title|tojson }};
    frame.loading = 'lazy';
    frame.referrerPolicy = 'strict-origin-when-cross-origin';
    frame.src = `${origin}/embed?${query}`.replace(/\?$/, '');
    style(frame, {all: 'initial', display: 'block', width: '100%', border: 0, height: '400px', 'color-scheme': 'auto'});
    document.head.contains(script) ? document.body.append(frame) : script.after(frame);
    style(frame, {height: `${estimate(frame.clientWidth || 390)}px`});
    if (!link) {
      link = document.createElement('a');
      link.href = {{ home|tojson }};
      link.textContent = frame.title;
      frame.after(link);
    }

    // While the frame does not answer, and as long as it has not, there is a plain link.
    let answered;
    const show = isShown => {
      style(frame, {display: isShown ? 'block' : 'none'});
      style(link, {display: isShown ? 'none' : 'inline'});
    };
    const wait = seconds => setTimeout(() => answered || show(false), seconds * 1000);
    show(true);
    frame.onload = () => wait(2);
    new IntersectionObserver(([entry], observer) => {
      if (entry.isIntersecting) observer.disconnect(wait(10));
    }).observe(frame);

    addEventListener('message', event => {
      const height = event.data?.igfeed;
      if (!(height > 0) || event.source !== frame.contentWindow || event.origin !== origin) return;
      if (!answered) show(answered = true);
      style(frame, CSS.supports('frame-sizing', 'content-height')
        ? {height: 'auto', 'frame-sizing': 'content-height'}
        : {height: `${Math.min(height, 20000)}px`});
    });
  };
  if (document.head.contains(script) && document.readyState === 'loading') addEventListener('DOMContentLoaded', place);
  else place();
})();
