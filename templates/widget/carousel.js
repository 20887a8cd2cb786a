// Goes on where grid.js ends, in the same function. A grid does without it.
// The buttons of a carousel. They are hidden if everything fits, and disabled at the ends.
const end = () => grid.scrollWidth - grid.clientWidth;
const dim = () => steps.forEach(step => {
  const left = grid.scrollLeft, next = older(root);
  step.ariaDisabled = step.value < 0 ? left < 2 : left > end() - 2 && !next?.hidden;
  step.hidden = end() < 2 && !next;
});
// Near its end a carousel adds older posts by itself. The link shows only if that fails, or between files.
const extend = () => {
  const link = older(root);
  if (link?.hidden && grid.scrollLeft > end() - grid.clientWidth) return add(link, () => { link.hidden = false; });
};
if (steps[0]) {
  added = dim;
  steps.forEach(step => {
    step.onclick = async () => {
      if (step.value > 0 && grid.scrollLeft > end() - 2) await extend();
      grid.scrollBy({left: step.value * grid.clientWidth * .9});
    };
  });
  if (older(root)) older(root).hidden = older(root).protocol != 'file:';
  grid.onscroll = () => { dim(); extend(); };
  new ResizeObserver(dim).observe(grid);
}
