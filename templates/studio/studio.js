// The studio with script: the preview follows the controls, and a button copies a snippet.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const form = document.querySelector('.controls'), frame = document.querySelector('.preview');
  const stage = document.querySelector('.stage'), bar = document.querySelector('.stage-bar');

  const offerCopies = () => all('.copy').forEach(button => { button.hidden = false; });
  document.addEventListener('click', async event => {
    const button = event.target.closest('.copy');
    if (!button) return;
    const source = button.previousElementSibling, usual = button.textContent;
    await navigator.clipboard.writeText(source.textContent).catch(() => getSelection().selectAllChildren(source));
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = usual; }, 2000);
  });
  offerCopies();
  const switcher = document.querySelector('.switcher');
  if (switcher) {
    document.addEventListener('click', ({target}) => { if (!switcher.contains(target)) switcher.open = false; });
    switcher.addEventListener('keydown', ({key}) => {
      if (key != 'Escape') return;
      switcher.open = false;
      switcher.firstElementChild.focus();
    });
  }
  if (!form) return;

  all('[data-of], .own').forEach(each => { each.hidden = false; });
  all('[type=submit], .controls button').forEach(each => { each.hidden = true; });

  const WIDTHS = {desktop: 1120, phone: 390};
  const chosen = name => bar.querySelector(`[name=${name}]:checked`)?.value;

  // The frame is laid out in the chosen width, then scaled down until it fits.
  const fit = () => {
    const width = WIDTHS[chosen('width')], scale = Math.min(1, stage.clientWidth / width);
    const height = frame.contentDocument?.documentElement?.offsetHeight || 480;
    frame.style.cssText = `position:absolute;width:${width}px;height:${height}px;max-width:none;transform:scale(${scale});left:${(stage.clientWidth - width * scale) / 2}px`;
    frame.parentElement.style.setProperty('--height', `${height * scale}px`);
  };
  // On a phone the first thing to see is the feed on a phone.
  if (stage.clientWidth < 500) bar.querySelector('[value=phone]').checked = true;
  const watch = new ResizeObserver(fit);
  const begin = () => {
    watch.disconnect();
    watch.observe(stage);
    if (frame.contentDocument?.documentElement) watch.observe(frame.contentDocument.documentElement);
    fit();
  };
  frame.addEventListener('load', begin);

  const asked = () => {
    const data = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value && !data.has(name)) data.set(name, value.replace('#', ''));
    return data;
  };
  const isDark = colour => {
    const [red, green, blue] = colour.match(/\d+/g).map(Number);
    return red * 299 + green * 587 + blue * 114 < 128000;
  };
  // The script tag takes the theme from its page, and so does the preview.
  const show = () => {
    const data = asked();
    if (!data.has('theme') && isDark(getComputedStyle(stage).backgroundColor)) data.set('theme', 'dark');
    frame.contentWindow.location.replace(`${form.dataset.preview}?${data}`);
  };
  let latest = 0;
  const update = async () => {
    const run = ++latest, query = asked();
    show();
    const answer = await fetch(`${form.dataset.snippets}?${query}`);
    if (!answer.ok || run != latest) return;
    const parsed = new DOMParser().parseFromString(await answer.text(), 'text/html');
    // The server leaves out options with their default values.
    const told = parsed.querySelector('.told');
    history.replaceState(history.state, '', `${location.pathname}${told.dataset.query}#look`);
    const tab = document.querySelector('[name=snippet]:checked').value;
    for (const name of ['.told', '.snippets']) document.querySelector(name).replaceChildren(...parsed.querySelector(name).childNodes);
    document.querySelector(`[name=snippet][value=${tab}]`).checked = true;
    offerCopies();
  };
  let waiting;
  form.addEventListener('input', event => {
    const {target} = event, of = target.dataset.of && document.getElementById(target.dataset.of);
    if (of) of.value = target.value.slice(1);
    clearTimeout(waiting);
    waiting = setTimeout(update, 200);
  });
  form.addEventListener('submit', event => {
    if (event.submitter?.formMethod == 'post') return;
    event.preventDefault();
    update();
  });
  bar.addEventListener('input', ({target}) => {
    if (target.name == 'ground') stage.style.backgroundColor = '';
    if (target.name == 'own-ground') {
      stage.style.backgroundColor = target.value;
      all('[name=ground]').forEach(each => { each.checked = false; });
    }
    if (target.name == 'width') fit();
    else show();
  });
})();
