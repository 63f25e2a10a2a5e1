/**
 * Passes messages on in the order they came, also where turning one of them into another form takes a while.
 *
 * @param slow the other form of a message that takes a while; null for one that does not
 * @param quick the other form of a message that does not
 * @param pass takes each message in its other form; may take a while too
 * @param failed is called when a message has no other form: what comes behind it is dropped
 */
export function inOrder<From, To>(
  slow: (message: From) => Promise<To> | null,
  quick: (message: From) => To,
  pass: (message: To) => void | Promise<void>,
  failed: () => void,
): (message: From) => void {
  let waiting = 0;
  let queue: Promise<void> = Promise.resolve();
  return (message) => {
    const form = slow(message);
    // The usual message is passed on at once.
    if (!form && waiting === 0) {
      void pass(quick(message));
      return;
    }
    waiting++;
    const next = async () => {
      await pass(form ? await form : quick(message));
      waiting--;
    };
    queue = queue.then(next);
    queue.catch(failed);
  };
}

/** How many characters the strings of a message have in all, at most a hundred values deep into it: what counts is the payload. */
export function textLength(message: unknown): number {
  let length = 0;
  let left = 100;
  const visit = (value: unknown): void => {
    if (typeof value === 'string') length += value.length;
    else if (value !== null && typeof value === 'object' && left-- > 0) Object.values(value).forEach(visit);
  };
  visit(message);
  return length;
}
