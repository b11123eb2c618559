/**
 * The tags of an expense as a person types them: separated by commas. The server has
 * the same bounds.
 */
export const maxTags = 10;
export const maxTagLength = 30;

/** The tags in a text: without surrounding white space, and each once, whatever its case. */
export function readTags(text) {
  const tags = new Map();
  for (const part of text.split(',')) {
    const tag = part.trim().replace(/\s+/g, ' ');
    if (tag && !tags.has(tag.toLowerCase())) {
      tags.set(tag.toLowerCase(), tag);
    }
  }
  return [...tags.values()];
}

/** Tags as they are typed. */
export function typedTags(tags = []) {
  return tags.join(', ');
}

/** The bound that tags break: `many`, `long`, or ''. */
export function tagsBeyond(tags) {
  if (tags.length > maxTags) {
    return 'many';
  }
  return tags.some((tag) => tag.length > maxTagLength) ? 'long' : '';
}
