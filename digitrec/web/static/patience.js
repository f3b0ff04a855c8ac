// Requests to a busy server are sent again after Retry-After.

const RETRIES = 4;
const LONGEST_S = 60; // a longer Retry-After is for the person to wait

/** The answer that `ask()` promises. `wait(problem, seconds)` is called before each pause, which an aborted signal ends. */
export async function patiently(ask, { signal, wait = () => {} } = {}) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask();
    } catch (problem) {
      const seconds = Math.max(problem.retryAfterS, 2 ** tries); // longer each time
      if (!Number.isFinite(problem.retryAfterS) || seconds > LONGEST_S || tries === RETRIES || signal?.aborted) throw problem;
      wait(problem, seconds);
      await pause(1000 * seconds, signal);
      if (signal?.aborted) throw problem;
    }
  }
}

/** Wait; an aborted signal ends it early. */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
    signal?.addEventListener("abort", resolve);
  });
}
