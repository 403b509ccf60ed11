// Runs before the first paint, so that a chosen theme does not flash in the other one.
try {
  document.documentElement.dataset.theme = localStorage.getItem('rechat.theme') ?? 'system';
} catch {
  // Storage is forbidden here: the system's theme it is.
}
