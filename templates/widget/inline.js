// Shows the feed in a shadow root of somebody's page: `embed.js` calls `fill`, and `/fragment` has a tag for this module.
const grid = (root, load) => {
{{ grid }}
};
const lightbox = root => {
{{ lightbox }}
};
const ours = new URL(import.meta.url).origin;

// The elements of a page of ours. In a template nothing of them is loaded or applied, and no policy is asked. Pages may
// demand that a policy of trusted types is named for this.
let trusted = html => html;
try {
  const policy = trustedTypes.createPolicy('igfeed', {createHTML: trusted});
  trusted = html => policy.createHTML(html);
} catch {}
const parse = html => {
  const template = document.createElement('template');
  template.innerHTML = trusted(html);
  return adopt(template.content);
};

// Makes a part of our page fit for somebody else's: addresses work there, pictures wait until they are near the screen,
// links to other pages of the feed leave that page open, and the page has its own main heading. Our addresses begin with
// a slash, or with `./` where they are files beside this one.
const adopt = part => {
  for (const each of part.querySelectorAll('[src],[srcset],[href],[data-video],template,h1')) {
    for (const name of ['src', 'srcset', 'href', 'data-video']) {
      const value = each.getAttribute(name);
      if (value) each.setAttribute(name, value.replace(/(^|\s)(\.?\/)(?!\/)/g, (_, space, start) => space + new URL(start, import.meta.url)));
    }
    if (each.srcset) each.loading = 'lazy';
    if (each.rel) each.target = '_blank';
    if (each.content) adopt(each.content);
    if (each.localName == 'h1') each.ariaLevel = 2;
  }
  return part;
};

// The usual `sizes` are shares of a frame's width. Browsers that do not know `auto` take the width that tiles have now.
const size = (part, root) => {
  const width = root.querySelector('.frame')?.clientWidth;
  for (const each of part.querySelectorAll('.frame [sizes]')) each.sizes = `auto, ${width}px`;
  return part;
};

// Keeps the page behind an opened post where it is.
const lock = new CSSStyleSheet();
lock.replaceSync(':root:root{overflow:hidden!important}');
const keep = isOpen => {
  const top = scrollY, others = document.adoptedStyleSheets.filter(each => each != lock);
  document.adoptedStyleSheets = isOpen ? [...others, lock] : others;
  scrollTo({top, behavior: 'instant'});
};

// Gives the feed in a shadow root what needs script. `asked`: the theme that the owner has chosen.
const start = (host, asked) => {
  const root = host.shadowRoot, inline = root.querySelector('.inline'), dialog = root.querySelector('dialog');
  const choose = () => {
    // The second of its numbers is the luminance of the page's text, see style.css.
    const luminance = getComputedStyle(host).floodColor.split(' ')[2];
    inline.dataset.theme = asked ?? (luminance > .18 ? 'dark' : 'light');
  };
  choose();
  // By style.css an animation starts when the host is shown or moved, and a transition when its colour has changed.
  for (const name of ['animationstart', 'transitionend']) {
    host.addEventListener(name, event => {
      event.stopPropagation();
      choose();
    });
  }
  size(root, root);
  grid(root, async address => size(parse(await (await fetch(address)).text()), root));
  if (!dialog) return;
  lightbox(root);
  new MutationObserver(() => keep(dialog.open)).observe(dialog, {attributeFilter: ['open']});
  // What the page does by keys, wheel and fingers, such as its own slides, rests while a post is open.
  for (const name of ['keydown', 'wheel', 'touchstart', 'touchmove', 'pointerdown', 'mousedown']) {
    root.addEventListener(name, event => dialog.open && event.stopPropagation(), {passive: true});
  }
};

// Takes the addresses of the pictures away. Returns for each a function that gives them back.
const hold = part => [...part.querySelectorAll('img')].map(picture => {
  const taken = [];
  // The `<source>` before it is loaded even if the picture itself has no address.
  for (const each of [...picture.parentNode.querySelectorAll('source'), picture]) {
    for (const name of ['srcset', 'src']) {
      if (each.hasAttribute(name)) taken.push([each, name, each.getAttribute(name)]);
      each.removeAttribute(name);
    }
  }
  return () => {
    for (const [each, name, value] of taken) each.setAttribute(name, value);
    return picture;
  };
});

// A policy that refuses our pictures says so at once. One of them finds it out.
const test = release => new Promise((done, fail) => {
  Object.assign(release(), {onload: done, onerror: fail, loading: 'eager'});
  setTimeout(done, 100);
});

// Shows a page of ours in a shadow root of `host`. Rejects where the feed may not be there.
export const fill = async (host, html, title, asked) => {
  const ancestors = [self.origin, ...location.ancestorOrigins ?? []];
  const mayStandIn = origin => {{ embedders|tojson }}.some(each => each ? RegExp(each).test(origin) : origin == ours);
  if (!ancestors.every(mayStandIn)) throw Error('refused');
  const root = host.attachShadow({mode: 'open'}), page = parse(html), inline = document.createElement('div'), sheet = new CSSStyleSheet();
  inline.className = 'inline waiting';
  asked = asked == 'auto' ? null : asked;
  inline.classList.toggle('as-page', !asked);
  inline.lang = /lang="(.*?)"/.exec(html)[1];
  for (const heading of page.querySelectorAll('h1.unseen')) heading.textContent = title;
  const pictures = hold(page);
  inline.append(...page.querySelector('main').childNodes);
  // Ours are relative to the visitor's usual size, and the page's `rem` may be any other.
  const rem = parseFloat(getComputedStyle(host).fontSize);
  const css = page.querySelector('style').textContent.replace(/([\d.]+)rem/g, (_, number) => `${number * rem}px`);
  sheet.replaceSync(`${css}.waiting img{visibility:hidden}`);
  root.adoptedStyleSheets = [sheet];
  root.replaceChildren(inline);
  start(host, asked);
  if (pictures[0]) await test(pictures.shift());
  for (const release of pictures) release();
  inline.classList.remove('waiting');
};

for (const host of document.querySelectorAll('[data-igfeed]')) {
  const root = host.shadowRoot, style = root?.querySelector('style');
  if (root?.querySelector('script')?.src != import.meta.url) continue;
  // Policies that refuse a style in the HTML do not refuse one that a script has made.
  if (!style.sheet) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style.textContent);
    root.adoptedStyleSheets = [sheet];
  }
  start(host, root.querySelector('.inline').dataset.theme);
}
