// Loads the island's code when the browser is idle, and hydrates the island. If it fails, the page
// keeps working with plain forms.
(() => {
  const { task, js, wasm } = document.currentScript.dataset;
  const island = document.querySelector("leptos-island");

  // A form is not submitted twice within five seconds, so a double click sends one request.
  const sent = new Set();
  addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (sent.has(event.target)) event.preventDefault();
    sent.add(event.target);
    setTimeout(() => sent.delete(event.target), 5000);
  });
  addEventListener("pageshow", (event) => {
    sent.clear();
    // A page that was kept while another one was shown has stopped at what it was doing.
    if (event.persisted && island) location.reload();
  });

  if (island) {
    // The countdown starts from this time, even if the code arrives much later.
    island.dataset.seen = Date.now();
    // Distinguishes a typed value from one that the browser restored on reload.
    island.addEventListener("input", () => (island.dataset.typed = ""), { once: true });
  }

  const get = (url) => fetch(url, { priority: "low" });
  const tasks = {
    // The next page loads both from the cache.
    prefetch: () => Promise.all([js, wasm].map(async (url) => (await get(url)).arrayBuffer())),
    async hydrate() {
      const code = get(wasm);
      code.catch(() => {});
      const glue = await import(js);
      await glue.default({ module_or_path: code });
      glue.hydrate();
      // The number at the end of an island's name depends on the compiler.
      const name = island.dataset.component.replace(/\d+$/, "");
      glue[Object.keys(glue).find((key) => key.startsWith(name))](island);
    },
  };

  let started = false;
  const start = () => {
    if (started) return;
    started = true;
    tasks[task]().catch(() => {});
  };
  for (const type of ["pointerdown", "keydown"]) addEventListener(type, start, { once: true });
  if ("requestIdleCallback" in window) requestIdleCallback(start, { timeout: 2000 });
  else setTimeout(start, 200);
})();
