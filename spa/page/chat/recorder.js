import { fill, h } from '../dom.js';
import { duration } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { toast } from '../toast.js';

/** Seconds after which a recording stops by itself, and waits to be sent. */
const MAX_SECONDS = 300;

/** The formats of recorded voices: the first that the browser can record, and the ending of its files. */
const KINDS = [
  { type: 'audio/webm', ending: 'webm' },
  { type: 'audio/mp4', ending: 'm4a' },
  { type: 'audio/ogg', ending: 'ogg' },
];

/** Whether this browser records here; over plain HTTP from another host none does. */
export const canRecord = () => 'MediaRecorder' in globalThis && navigator.mediaDevices !== undefined;

/** Records a voice, in a line in place of the field. */
export class Recorder {
  /** @type {MediaRecorder | undefined} */
  #recorder;
  #isKept = false;

  /**
   * @param {(voice: File) => void} recorded
   * @param {() => void} ended
   */
  constructor(recorded, ended) {
    this.recorded = recorded;
    this.ended = ended;
    this.time = h('time', { role: 'timer' });
    this.element = h(
      'div',
      { class: 'recording', hidden: true, onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        this.end(false);
      } },
      h('button', { class: 'plain', type: 'button', 'aria-label': t('cancelThis'), title: 'Esc', onclick: () => this.end(false) }, icon('remove')),
      h('span', { class: 'recording-light', 'aria-hidden': 'true' }),
      h('span', null, t('recording')),
      this.time,
      h('button', { class: 'primary send-voice', type: 'button', 'aria-label': t('sendVoice'), title: t('sendVoice'), onclick: () => this.end(true) }, icon('send')),
    );
  }

  async begin() {
    if (this.#recorder) return;
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(() => undefined);
    if (!stream) return toast(t('noMicrophone'), 'bad');
    if (!this.element.isConnected || this.#recorder) return silence(stream);
    const kind = KINDS.find(({ type }) => MediaRecorder.isTypeSupported(type));
    const recorder = new MediaRecorder(stream, kind ? { mimeType: kind.type } : {});
    this.#recorder = recorder;
    this.#isKept = false;
    /** @type {Blob[]} */
    const parts = [];
    let seconds = 0;
    const draw = () => fill(this.time, duration(seconds));
    const clock = setInterval(() => {
      if (recorder.state !== 'recording') return;
      seconds += 1;
      draw();
      if (seconds >= MAX_SECONDS) recorder.pause();
    }, 1000);
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => {
      clearInterval(clock);
      silence(stream);
      this.#recorder = undefined;
      this.element.hidden = true;
      if (this.#isKept && parts.length > 0) this.recorded(new File(parts, `voice.${kind?.ending ?? 'webm'}`, { type: kind?.type ?? 'audio/webm' }));
      this.ended();
    };
    recorder.start();
    draw();
    this.element.hidden = false;
    /** @type {HTMLElement | null} */ (this.element.querySelector('.send-voice'))?.focus();
  }

  /** Ends the recording. @param {boolean} isKept whether it is sent */
  end(isKept) {
    this.#isKept = isKept;
    if (this.#recorder && this.#recorder.state !== 'inactive') this.#recorder.stop();
  }
}

/** Gives the microphone back. @param {MediaStream} stream */
function silence(stream) {
  for (const track of stream.getTracks()) track.stop();
}
