// Whether an element is in sight: one watch for all of them.

const actions = new WeakMap<Element, (isSeen: boolean) => void>();
let watch: IntersectionObserver | undefined;

/** Calls `action` whenever the element comes into sight or leaves it; returns the way to stop. */
export function onSeen(element: Element, action: (isSeen: boolean) => void): () => void {
  watch ??= new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) actions.get(target)?.(isIntersecting);
  });
  const watching = watch;
  actions.set(element, action);
  watching.observe(element);
  return () => {
    watching.unobserve(element);
    actions.delete(element);
  };
}
