/** Whether files are dragged, and not text. @param {DragEvent} event */
const hasFiles = (event) => event.dataTransfer?.types.includes('Files') ?? false;

/**
 * Takes files that are dropped anywhere: beside the conversation the browser would leave the page to show one.
 * @param {(files: FileList) => void} take
 * @returns {() => void} ends it
 */
export function takeDropped(take) {
  const over = (/** @type {DragEvent} */ event) => hasFiles(event) && event.preventDefault();
  const drop = (/** @type {DragEvent} */ event) => {
    if (!hasFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  };
  addEventListener('dragover', over);
  addEventListener('drop', drop);
  return () => {
    removeEventListener('dragover', over);
    removeEventListener('drop', drop);
  };
}
