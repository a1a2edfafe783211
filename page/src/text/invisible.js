// Characters that change what is read without being seen: they are written out. So are long runs of combining marks, of
// which browsers draw a thousand over one letter, slowly.

const INVISIBLE =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{M}{40,}/gu;

export function hasInvisible(text) {
  return text.search(INVISIBLE) >= 0; // unlike test(), it leaves no place behind from which the next search would begin
}

// The text in pieces: [text, false] as it is, [name, true] for a character that is not seen.
export function pieces(text) {
  const found = [];
  let last = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    if (match.index > last) found.push([text.slice(last, match.index), false]);
    found.push([nameOf(match[0]), true]);
    last = match.index + match[0].length;
  }
  if (last < text.length) found.push([text.slice(last), false]);
  return found;
}

function nameOf(characters) {
  const hex = characters.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  return [...characters].length > 1 ? `${characters.length} combining marks` : `U+${hex}`;
}

function invisibleElement(name) {
  const element = document.createElement("span");
  element.className = "invisible";
  element.title = "a character that is not seen";
  element.textContent = name;
  return element;
}

export function appendText(parent, text) {
  if (!hasInvisible(text)) return parent.append(text);
  for (const [piece, invisible] of pieces(text)) parent.append(invisible ? invisibleElement(piece) : piece);
}
