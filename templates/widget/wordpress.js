// WordPress shows us in a sandboxed frame and ends our address with `#?secret=…`. It hides the frame until it hears a
// height, of which it takes 200 to 1000 pixels. It follows links to our own host only.
const secret = /secret=(\w+)/.exec(location.hash)?.[1];
if (secret) {
  const say = (message, value) => parent.postMessage({message, value, secret}, '*');
  const {style} = document.documentElement;
  const tell = () => {
    style.overflow = 'hidden';
    say('height', document.documentElement.offsetHeight);
    style.overflow = '';
  };
  tell();
  new ResizeObserver(tell).observe(document.documentElement);
  // It says that it is ready, in case its script has run after this one.
  addEventListener('message', ({data}) => data?.message === 'ready' && tell());

  // On the window, so that the other scripts come first. A link that stays in the frame keeps the secret.
  addEventListener('click', event => {
    const link = event.target.closest('a');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (!link.target) link.hash = location.hash;
    else if (!event.defaultPrevented) {
      event.preventDefault();
      // In an opened post any link leads to the post, but for the owner's own one.
      const links = [link, ...(link.closest('.post')?.querySelectorAll('a') ?? [])].map(each => each.href);
      const tile = [...root.querySelectorAll('.tile')].find(each => links.includes(each.firstElementChild.href));
      say('link', location.href.replace(/embed\/?[?#].*/, `go/${tile?.dataset.postId ?? 'profile'}${link.matches('.own') ? '-link' : ''}`));
    }
  });
}
