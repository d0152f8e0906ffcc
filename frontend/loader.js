// Fetches the island's code when the browser has nothing better to do, and brings the island to
// life. Whatever goes wrong in here, the page stays what it is: plain forms that work.
(() => {
  const { task, js, wasm } = document.currentScript.dataset;
  const island = document.querySelector("leptos-island");

  // A second press of a button sends nothing a second time, unless the first one has come to
  // nothing for so long that it was given up.
  const sent = new Set();
  addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (sent.has(event.target)) event.preventDefault();
    sent.add(event.target);
    setTimeout(() => sent.delete(event.target), 5000);
  });
  addEventListener("pageshow", () => sent.clear());

  if (island) {
    // By this the countdown is set, however late the code arrives.
    island.dataset.seen = Date.now();
    // Tells what a person typed meanwhile from what a reload has put back.
    island.addEventListener("input", () => (island.dataset.typed = ""), { once: true });
  }

  const get = (url) => fetch(url, { priority: "low" });
  const tasks = {
    // The next page will find both in the cache.
    prefetch: () => Promise.all([js, wasm].map(async (url) => (await get(url)).arrayBuffer())),
    async hydrate() {
      const code = get(wasm);
      code.catch(() => {});
      const glue = await import(js);
      await glue.default({ module_or_path: code });
      glue.hydrate();
      // The number behind an island's name depends on the compiler; the name itself does not.
      const name = island.dataset.component.replace(/\d+$/, "");
      glue[Object.keys(glue).find((key) => key.startsWith(name))](island);
    },
  };

  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    tasks[task]().catch(() => {});
  };
  for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, begin, { once: true });
  if ("requestIdleCallback" in window) requestIdleCallback(begin, { timeout: 2000 });
  else setTimeout(begin, 200);
})();
