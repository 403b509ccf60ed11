import { h, svg } from './dom.js';
import { number, time } from './format.js';
import { t } from './i18n.js';

/** The drawing's own measures; it is stretched to its place. */
const WIDTH = 600;
const HEIGHT = 160;

/**
 * Messages a minute as a drawing: bars of what came in, and on them what went out.
 * @param {import('./types.js').Activity} activity
 * @param {number} step minutes that are put together
 */
export function plot(activity, step) {
  const inbound = together(activity.in, step);
  const outbound = together(activity.out, step);
  const most = Math.max(1, ...inbound.map((n, at) => n + (outbound[at] ?? 0)));
  const top = niceTop(most);
  const total = (/** @type {number[]} */ counts) => counts.reduce((sum, n) => sum + n, 0);
  const label = t('plotLabel', { in: number(total(activity.in)), out: number(total(activity.out)), most });
  const lines = [0, 0.5, 1].map((part) =>
    svg('line', { x1: 0, x2: WIDTH, y1: HEIGHT * (1 - part), y2: HEIGHT * (1 - part), class: 'grid' }),
  );
  const bars = inbound.flatMap((n, at) => [
    bar(at / inbound.length, 1 / inbound.length, 0, n / top, 'in'),
    bar(at / inbound.length, 1 / inbound.length, n / top, (outbound[at] ?? 0) / top, 'out'),
  ]);
  const drawing = svg(
    'svg',
    { viewBox: `0 -1 ${WIDTH} ${HEIGHT + 2}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    ...lines,
    ...bars.filter((made) => made !== undefined),
  );
  const minutes = activity.in.length;
  const at = (/** @type {number} */ part) => time(activity.from + part * minutes * 60);
  return h(
    'div',
    { class: 'plot' },
    h('div', { class: 'drawing' }, drawing, h('span', { class: 'top' }, number(top)), h('span', { class: 'middle' }, top > 1 ? number(top / 2) : '')),
    h('div', { class: 'times', 'aria-hidden': 'true' }, h('span', null, at(0)), h('span', null, at(0.5)), h('span', null, t('now'))),
    h(
      'div',
      { class: 'legend' },
      h('span', { class: 'in' }, `${t('in')} ${number(total(activity.in))}`),
      h('span', { class: 'out' }, `${t('out')} ${number(total(activity.out))}`),
    ),
  );
}

/**
 * @param {number[]} counts
 * @param {number} step
 */
function together(counts, step) {
  const sums = [];
  for (let at = 0; at < counts.length; at += step) {
    sums.push(counts.slice(at, at + step).reduce((sum, n) => sum + n, 0));
  }
  return sums;
}

/** The next round number, even so that its half is whole. @param {number} most */
function niceTop(most) {
  if (most <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(most));
  const steps = power === 1 ? [2, 4, 6, 8, 10] : [1, 2, 3, 4, 5, 6, 8, 10];
  return (steps.find((step) => step * power >= most) ?? 10) * power;
}

/**
 * A bar; all measures are parts of the drawing's.
 * @param {number} left
 * @param {number} width
 * @param {number} bottom
 * @param {number} height
 * @param {string} name
 */
function bar(left, width, bottom, height, name) {
  if (height === 0) return undefined;
  const size = { x: (left + width * 0.14) * WIDTH, width: width * 0.72 * WIDTH, height: height * HEIGHT };
  return svg('rect', { ...size, y: (1 - bottom - height) * HEIGHT, class: `bar ${name}` });
}
