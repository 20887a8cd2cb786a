// WordPress shows us in a sandboxed frame and ends our address with `#?secret=…`. It hides the frame until it hears a
// height, of which it takes 200 to 1000 pixels. It follows links to our own host only.
const [, secret] = /\bsecret=(\w+)/.exec(location.hash) ?? [];
if (secret) {
  const say = (message, value) => parent.postMessage({message, value, secret}, '*');
  const tell = () => say('height', document.documentElement.offsetHeight);
  tell();
  new ResizeObserver(tell).observe(document.documentElement);
  // It says that it is ready, in case its script has run after this one.
  addEventListener('message', ({source, data}) => source === parent && data?.message === 'ready' && tell());

  // On the window, so that the other scripts come first. The sandbox allows no new tab.
  addEventListener('click', event => {
    const link = event.target.closest('a');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (!link.target) link.hash = location.hash;
    if (!link.target || event.defaultPrevented) return;
    event.preventDefault();
    // In an opened post any link leads to the post.
    const links = [link, ...(link.closest('.post')?.querySelectorAll('a') ?? [])].map(each => each.href);
    const tile = [...document.querySelectorAll('.tile')].find(each => links.includes(each.firstElementChild.href));
    say('link', new URL(location.pathname.replace(/embed\/?$/, `go/${tile?.dataset.postId ?? 'profile'}`), location).href);
  });
}
