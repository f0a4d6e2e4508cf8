/**
 * Text as the server counts it, and Korean particles after a name.
 *
 * Lengths are Unicode scalar values after NFC, as in the server's limits: one Hangul syllable is one
 * character whichever way a keyboard composes it.
 */

/** Bytes as people say them. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Canonical composition, so that Hangul typed on any system is one and the same text. */
export function nfc(text: string): string {
  return text.normalize("NFC");
}

/** The length in Unicode scalar values after NFC. */
export function lengthOf(text: string): number {
  return Array.from(nfc(text)).length;
}

const HANGUL_FIRST = 0xac00;
const HANGUL_LAST = 0xd7a3;
const FINALS = 28;
const FINAL_RIEUL = 8;

/** How a word ends when it is read aloud in Korean; `unknown` when that cannot be told. */
type Ending = "vowel" | "rieul" | "consonant" | "unknown";

/** Zero to nine: 영 일 이 삼 사 오 육 칠 팔 구. */
const DIGITS: readonly Ending[] = [
  "consonant",
  "rieul",
  "vowel",
  "consonant",
  "vowel",
  "vowel",
  "consonant",
  "rieul",
  "rieul",
  "vowel",
];

function endingOf(word: string): Ending {
  const last = /([\p{L}\p{N}])[^\p{L}\p{N}]*$/u.exec(nfc(word))?.[1];
  if (last === undefined) return "unknown";
  const code = last.codePointAt(0) ?? 0;
  if (code >= HANGUL_FIRST && code <= HANGUL_LAST) {
    const final = (code - HANGUL_FIRST) % FINALS;
    return final === 0 ? "vowel" : final === FINAL_RIEUL ? "rieul" : "consonant";
  }
  if (/[0-9]/.test(last)) return DIGITS[Number(last)] ?? "unknown";
  if (/[a-z]/i.test(last)) {
    const latin = word.toLowerCase();
    if (/l$/.test(latin)) return "rieul";
    // As loanwords are written: team 팀, design 디자인, bot 봇, slack 슬랙; ops 옵스, backend 백엔드.
    return /(?:[mn]|ng|ck|pp|[aeiou][ckpt])$/.test(latin) ? "consonant" : "vowel";
  }
  return "unknown";
}

/** A pair of particles: after a consonant, then after a vowel. */
export type Particles = "은/는" | "이/가" | "을/를" | "과/와" | "으로/로";

function isParticles(pair: string): pair is Particles {
  return ["은/는", "이/가", "을/를", "과/와", "으로/로"].includes(pair);
}

/** The word with the particle that fits its end: `마당` with `은/는` is `마당은`. */
export function withParticle(word: string, pair: string): string {
  if (!isParticles(pair)) return word;
  const [afterConsonant = "", afterVowel = ""] = pair.split("/");
  switch (endingOf(word)) {
    case "vowel":
      return word + afterVowel;
    case "rieul":
      return word + (pair === "으로/로" ? afterVowel : afterConsonant);
    case "consonant":
      return word + afterConsonant;
    case "unknown":
      return `${word}${afterConsonant}(${afterVowel})`;
  }
}
