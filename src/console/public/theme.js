// Runs before the page is painted, so that a chosen theme does not flash. The rest of it is in state/theme.ts.
(() => {
  const chosen = localStorage.getItem('kshot-theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
