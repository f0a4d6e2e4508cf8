/** Tests of Markdown: what shows, what is Korean, and what must never get through. */
import { cleanup, render, waitFor } from "@testing-library/react";
import { afterEach, beforeAll, expect, test } from "vitest";

import { startI18n } from "../i18n";
import { piecesOf } from "../lib/highlight";
import { EmojiContext } from "./CustomEmoji";
import { Markdown } from "./Markdown";

beforeAll(() => void startI18n("en"));
afterEach(cleanup);

/** The element around what the text became. */
function show(text: string): Element {
  const box = render(<Markdown text={text} />).container.firstElementChild;
  if (box === null) throw new Error("nothing was rendered");
  return box;
}

test.each([
  ["**마당**은", "<p><strong>마당</strong>은</p>"],
  ["**“인용”**은", "<p><strong>“인용”</strong>은</p>"],
  ["**(괄호)**로 *이것*을 ~~지움~~", "<p><strong>(괄호)</strong>로 <em>이것</em>을 <s>지움</s></p>"],
  ["a\nb", "<p>a<br>b</p>"],
  ["2026. 8. 3. 회의\n끝", "<p>2026. 8. 3. 회의<br>끝</p>"],
  ["# 큰 *글자*", '<p class="heading">큰 <em>글자</em></p>'],
  ["글\n---", "<p>글</p><hr>"],
  ["[a]: <x>", "<p>[a]: &lt;x&gt;</p>"],
  ["README.md", "<p>README.md</p>"],
  ["    들여쓰기", "<p>들여쓰기</p>"],
  ["- 하나\n- 둘", "<ul><li>하나</li><li>둘</li></ul>"],
])("%j", (text, html) => {
  expect(show(text).innerHTML).toBe(html);
});

test("lists, quotes, tables and code are kept", () => {
  const box = show("3. 하나\n4. 둘\n\n> 인용\n\n|a|b|\n|-|-:|\n|1|2|\n\n```\nfn main() {}\n```");
  expect(box.querySelector("ol")?.getAttribute("start")).toBe("3");
  expect(box.querySelectorAll("ol li")).toHaveLength(2);
  expect(box.querySelector("blockquote")?.textContent).toBe("인용");
  expect(box.querySelectorAll("td")[1]?.className).toBe("right");
  expect(box.querySelector("pre")?.textContent).toBe("fn main() {}");
});

test.each([
  ["https://madang.example/a를 보세요", "https://madang.example/a"],
  ["https://madang.example을 보세요", "https://madang.example"],
  ["https://madang.example/에서", "https://madang.example/"],
  ["https://ko.example/wiki/마당", "https://ko.example/wiki/%EB%A7%88%EB%8B%B9"],
  ["(https://madang.example/a?b=1)", "https://madang.example/a?b=1"],
  ["jimin@madang.example에게", "mailto:jimin@madang.example"],
])("in %j the address ends before the particle", (text, address) => {
  const box = show(text);
  expect(box.querySelector("a")?.getAttribute("href")).toBe(address);
  expect(box.textContent).toBe(text);
});

test("mentions stand out, one's own more, and not in code", () => {
  const mentions = [
    { name: "지민", own: true },
    { name: "지민님", own: false },
    { name: "b.ob", own: false },
  ];
  const box = render(
    <Markdown text="**@지민**이 @지민님께 `@지민` @b.ob. a@지민 @bxob" mentions={mentions} />,
  ).container;
  const found = [...box.querySelectorAll(".mention")];
  expect(found.map((each) => [each.textContent, each.classList.contains("own")])).toEqual([
    ["@지민", true],
    ["@지민님", false],
    ["@b.ob", false],
  ]);
  expect(box.textContent).toBe("@지민이 @지민님께 @지민 @b.ob. a@지민 @bxob");
});

test("links open elsewhere and tell nothing", () => {
  const link = show("[글](https://madang.example 'x')").querySelector("a");
  expect(link?.getAttribute("rel")).toBe("noopener noreferrer nofollow");
  expect(link?.getAttribute("target")).toBe("_blank");
});

test("a picture is a link and loads nothing", () => {
  const box = show("![고양이](https://elsewhere.example/cat.png) ![](https://elsewhere.example/dog.png)");
  expect(box.querySelector("img")).toBeNull();
  const names = [...box.querySelectorAll("a")].map((link) => link.textContent);
  expect(names).toEqual(["고양이", "https://elsewhere.example/dog.png"]);
});

test.each(["#", "-", "> ", ">", "1.", "|", "[a]: b"])("%j shows", (text) => {
  expect(show(text).textContent.trim()).not.toBe("");
});

test.each([
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg/onload=alert(1)>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "[a](javascript:alert(1))",
  "[a](JaVaScRiPt:alert(1))",
  "[a](java\tscript:alert(1))",
  "[a](&#106;avascript:alert(1))",
  "[a](\u0001javascript:alert(1))",
  "[a](data:text/html,<script>alert(1)</script>)",
  "[a](vbscript:x)",
  "[a](file:///etc/passwd)",
  "[a](//elsewhere.example)",
  "![a](javascript:alert(1))",
  "![a](data:image/svg+xml,<svg/onload=alert(1)>)",
  '![a" onerror="alert(1)](https://x.example/")',
  '[a](https://x.example/"onmouseover="alert(1))',
  '[a](https://x.example "x\\" onclick=alert(1)")',
  "<javascript:alert(1)>",
  "<https://x.example/\"onclick='alert(1)'>",
  "[![a](javascript:1)](javascript:2)",
  "[<img src=x onerror=alert(1)>](https://x.example)",
  '```"><script>alert(1)</script>\ncode\n```',
  '```x" onclick="alert(1)\ncode\n```',
  "**<b onclick=alert(1)>x</b>**",
  "`<script>alert(1)</script>`",
  "| <img src=x onerror=1> |\n|-|\n| <script>x</script> |",
  "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
  "<a href='https://x.example' style='position:fixed'>x</a>",
])("%j does no harm", (text) => {
  const box = show(text);
  expect(box.querySelector("script, img, iframe, style, form, math, b, [style]")).toBeNull();
  for (const element of box.querySelectorAll("*")) {
    for (const { name } of element.attributes) expect(name).not.toMatch(/^on/);
    const address = element.getAttribute("href");
    if (address !== null) expect(address).toMatch(/^(https?:\/\/|mailto:)/);
  }
});

test("code in a known language gets its colours, whatever it holds", async () => {
  const box = show('```html\n<script>alert("1")</script> &lt;\n```');
  const pre = box.querySelector("pre");
  await waitFor(() => expect(pre?.querySelector(".hljs-tag")).not.toBeNull());
  expect(pre?.textContent).toBe('<script>alert("1")</script> &lt;');
  expect(box.querySelector("script")).toBeNull();
  expect(show("```nonesuch\nx\n```").textContent).toBe("x");
});

test("a highlighter's HTML is text but for its classes", () => {
  expect(piecesOf('<span class="a">x&lt;<span class="b">&amp;amp;</span></span><img onerror="1">')).toEqual([
    { text: "x<", className: "a" },
    { text: "&amp;", className: "a b" },
    { text: '<img onerror="1">', className: "" },
  ]);
});

test("deep nesting and long runs end quickly", () => {
  const began = performance.now();
  for (const piece of [">", "[", "*a ", "![", "`", "- ", "|", "<"]) show(piece.repeat(8000 / piece.length));
  expect(performance.now() - began).toBeLessThan(5000);
});

test("the workspace's own emoji are pictures, but not in code, links and where there is none", async () => {
  const ids = new Map([
    ["party_cat", "30"],
    ["마당냥", "31"],
  ]);
  const known = { ids, picture: (id: string) => Promise.resolve(`blob:${id}`) };
  const text =
    "a :party_cat: **:마당냥:** :dog: `:party_cat:` https://example.org/:party_cat:\n```\n:party_cat:\n```";
  const shown = render(
    <EmojiContext value={known}>
      <Markdown text={text} />
    </EmojiContext>,
  );
  await waitFor(() => expect(shown.container.querySelectorAll("img").length).toBe(2));
  const pictures = [...shown.container.querySelectorAll("img")];
  expect(pictures.map((picture) => [picture.alt, picture.getAttribute("src")])).toEqual([
    [":party_cat:", "blob:30"],
    [":마당냥:", "blob:31"],
  ]);
  expect(shown.container.querySelector("code")?.textContent).toBe(":party_cat:");
});
