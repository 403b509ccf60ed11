// Where one was reading in a conversation that was left above its end; known as long as this page is open.

/** A message, and how far its top is from that of the view, in pixels. @typedef {{id: string, top: number}} ReadingPlace */

/** By conversation. @type {Map<string, ReadingPlace>} */
export const readingPlaces = new Map();
