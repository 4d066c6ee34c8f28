/**
 * Owns: the look of every page in one text. System fonts, no picture, no other origin. Light and dark by the reader's preference, with contrast AA in both;
 * reflows at 320 px, survives forced colours, moves nothing for those who asked for stillness, prints as a receipt.
 */

export const stylesheet = `:root {
  color-scheme: light dark;
  --ground: #f3f2ef; --card: #fff; --sunk: #f8f7f5; --ink: #1a1d21; --muted: #575d66; --line: #e1dfda; --edge: #82868d;
  --accent: #0d5c57; --accent-deep: #08433f; --on-accent: #fff;
  --amber: #7a4b00; --amber-soft: #fff5df; --amber-line: #ecd29a;
  --red: #a11722; --red-soft: #fdf0ef; --violet: #67278f; --violet-soft: #f8f0fc; --green: #17653a; --green-soft: #ebf6ee;
  --shadow: 0 1px 2px #1a1d210f, 0 12px 32px -12px #1a1d2124;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101214; --card: #191c1f; --sunk: #202427; --ink: #eceef0; --muted: #a8aeb6; --line: #31363b; --edge: #7b838c;
    --accent: #7fd6cb; --accent-deep: #a5e8df; --on-accent: #06211e;
    --amber: #f0c468; --amber-soft: #2d2513; --amber-line: #5c4a1f;
    --red: #ffa29c; --red-soft: #341c1c; --violet: #d9aef5; --violet-soft: #2a1d33; --green: #8fd9a8; --green-soft: #17291d;
    --shadow: 0 1px 2px #0006, 0 16px 40px -16px #0009;
  }
}

*, *::before, *::after { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); overflow-wrap: anywhere; }
h1, h2, h3, h4, p, ul, dl, dd, pre { margin: 0; padding: 0; }
ul { list-style: none; }
h1 { font-size: 1.375rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.012em; text-wrap: balance; }
h2 { font-size: 1rem; font-weight: 650; line-height: 1.4; }
h3, h4 { font-size: 0.9375rem; font-weight: 650; line-height: 1.4; }
code, pre, .device-code, .user-code { direction: ltr; unicode-bidi: isolate; }
code, pre { font: 0.8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
strong { font-weight: 650; }
a { color: var(--accent); text-underline-offset: 0.18em; text-decoration-thickness: 1px; }
a:hover { color: var(--accent-deep); text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: 4px; }
main:focus, .problems:focus { outline: none; }
.problems:focus-visible { outline: 3px solid var(--red); outline-offset: -3px; border-radius: 12px; }
.icon { flex: none; width: 1.25rem; height: 1.25rem; }
.hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none !important; }
.muted, .small, .hint { color: var(--muted); }
.small, .hint { font-size: 0.875rem; }
.center { text-align: center; }

.skip { position: absolute; inset-inline-start: 1rem; top: -5rem; z-index: 2; padding: 0.75rem 1rem; background: var(--card); border: 2px solid var(--accent); border-radius: 10px; }
.skip:focus { top: 1rem; }
.banner { background: var(--amber-soft); color: var(--amber); border-bottom: 1px solid var(--amber-line); font-size: 0.875rem; text-align: center; padding: 0.5rem 1rem; }

.page { width: 100%; max-width: 29rem; margin: 0 auto; padding: clamp(1rem, 5vh, 3.5rem) 1rem 2rem; }
.page.wide { max-width: 41rem; }
.top { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.5rem 1.5rem; margin: 0 0.25rem 1rem; }
.service { display: flex; align-items: center; gap: 0.625rem; font-weight: 650; }
.mark { display: grid; place-items: center; flex: none; width: 2rem; height: 2rem; border-radius: 9px; background: var(--accent); color: var(--on-accent); }
.account { display: flex; flex-wrap: wrap; align-items: baseline; column-gap: 0.75rem; font-size: 0.875rem; color: var(--muted); }
.account a { display: inline-block; padding-block: 0.625rem; }
.account strong { color: var(--ink); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 18px; box-shadow: var(--shadow); padding: clamp(1.25rem, 4.5vw, 2.25rem); }
.card > * + *, .card > form > * + * { margin-top: 1.25rem; }
.card > h1 + p { margin-top: 0.5rem; }
.card > h1 + .note { margin-top: 1rem; }
.lead { font-size: 1.0625rem; }

details > summary { cursor: pointer; color: var(--muted); font-size: 0.875rem; min-height: 2rem; padding-block: 0.3125rem; width: fit-content; border-radius: 4px; }
details > summary:hover { color: var(--ink); text-decoration: underline; text-underline-offset: 0.18em; }
details > p { font-size: 0.875rem; color: var(--muted); padding-bottom: 0.25rem; }

.field label, .field .hint, .field .problem { display: block; }
.field label { font-weight: 600; margin-bottom: 0.375rem; }
.field .hint, .field .problem { margin-bottom: 0.375rem; }
.field .problem { color: var(--red); font-size: 0.9375rem; }
input:not([type=checkbox], [type=radio]), textarea { width: 100%; min-height: 3rem; padding: 0.625rem 0.875rem; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; }
textarea { resize: vertical; min-height: 6rem; }
input:not([type=checkbox], [type=radio]):focus, textarea:focus { outline: 3px solid var(--accent); outline-offset: -1px; border-color: transparent; }
input[aria-invalid], textarea[aria-invalid] { border: 2px solid var(--red); }
input[readonly] { background: var(--sunk); color: var(--muted); }
input[type=checkbox], input[type=radio] { flex: none; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--accent); }
input.user-code:not([type=checkbox]) { text-transform: uppercase; font: 1.25rem/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; letter-spacing: 0.12em; }
.device-code { padding: 0.75rem; background: var(--sunk); border: 1px solid var(--line); border-radius: 14px; text-align: center; font: 650 clamp(1.75rem, 9vw, 2.5rem)/1.3 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; letter-spacing: 0.08em; }
.card > h1 + .device-code { margin-top: 1rem; }
.with-button { display: flex; gap: 0.5rem; }
.with-button input { min-width: 0; }
.check { display: flex; align-items: center; gap: 0.75rem; min-height: 2.75rem; cursor: pointer; }
.card > form > .check { margin-top: 0.75rem; }
.check + .button { margin-top: 0.75rem; }
.card > form > .check + .hint { margin-top: 0.25rem; }

button { font: inherit; color: inherit; cursor: pointer; }
.button { display: flex; align-items: center; justify-content: center; width: 100%; overflow-wrap: break-word; text-wrap: balance; min-height: 3rem; padding: 0.625rem 1.25rem; font-weight: 600; text-align: center; text-decoration: none; border: 2px solid transparent; border-radius: 12px; transition: background-color 0.12s, color 0.12s; }
.button.main { background: var(--accent); color: var(--on-accent); }
.button.main:hover { background: var(--accent-deep); color: var(--on-accent); }
.button.quiet, .button.even { background: var(--card); color: var(--ink); border-color: var(--edge); }
.button.even { border-color: var(--ink); }
.button.quiet:hover, .button.even:hover { background: var(--ink); color: var(--card); border-color: var(--ink); }
form[data-sent] .button { cursor: progress; border-style: dashed; }
.reveal, .copy { min-height: 2.75rem; padding: 0.25rem 0.875rem; background: var(--sunk); color: var(--ink); border: 1px solid var(--edge); border-radius: 10px; font-size: 0.875rem; font-weight: 600; }
.reveal, .copy { flex: none; text-wrap: balance; }
.reveal { min-height: 3rem; }
.reveal[aria-pressed=true] { background: var(--ink); color: var(--card); }
.bare { padding-inline: 0.5rem; background: none; border-color: transparent; color: var(--muted); font-weight: 400; text-decoration: underline; text-underline-offset: 0.18em; }
.bare:hover { color: var(--ink); }
.decide { display: flex; flex-wrap: wrap; gap: 0.75rem; }
.decide > * { display: flex; flex: 1 1 calc(50% - 0.5rem); max-width: 100%; }
.decide .button { min-height: 3.25rem; padding-inline: 0.5rem; }
.quiet-link { display: inline-block; padding: 0.625rem; }
.beside { display: flex; flex-wrap: wrap; gap: 0 1.5rem; }
.beside a { padding-block: 0.625rem; }

.by, .chip, .note, .care, .warning, .done, .problems { border-radius: 12px; }
.by { display: flex; align-items: center; gap: 0.5rem; color: var(--muted); }
.by strong { color: var(--ink); }
.by .icon { color: var(--accent); }
.by.tier-dynamic, .by.tier-dynamic .icon { color: var(--amber); }
.chip { padding: 0.625rem 0.875rem; border: 1px dashed var(--amber); background: var(--amber-soft); color: var(--amber); font-size: 0.9375rem; }
.chip strong::after { content: " ·"; }
.note { padding: 0.75rem 1rem; background: var(--sunk); border: 1px solid var(--line); }
.note strong:first-child { display: block; }
.warning { display: flex; gap: 0.5rem; color: var(--amber); font-size: 0.9375rem; font-weight: 600; margin-top: 0.375rem; }
.warning .icon { margin-top: 0.0625rem; }
.care { color: var(--muted); font-size: 0.9375rem; }
.care.strong { display: flex; gap: 0.75rem; padding: 0.875rem 1rem; background: var(--amber-soft); border: 1px solid var(--amber-line); color: var(--ink); }
.care.strong .icon { color: var(--amber); margin-top: 0.0625rem; }
.care.strong strong { display: block; }
.care.strong p + p { margin-top: 0.375rem; }
.problems { padding: 0.875rem 1rem; background: var(--red-soft); border: 2px solid var(--red); }
.problems a { color: var(--red); display: inline-block; padding-block: 0.25rem; }
.done { display: flex; gap: 0.75rem; padding: 0.875rem 1rem; background: var(--green-soft); border: 1px solid var(--green); }
.done .icon { color: var(--green); margin-top: 0.125rem; }

.facts > div { padding: 0.6875rem 0; border-top: 1px solid var(--line); }
.facts > div:last-child { border-bottom: 1px solid var(--line); }
.facts dt { color: var(--muted); font-size: 0.875rem; }
.facts details { margin-top: 0.125rem; }
.facts code { overflow-wrap: anywhere; }
.command > span { display: inline-block; max-width: 100%; }
.place { font-size: 1.0625rem; }
.place .sub { font-weight: 400; }
.whole { white-space: nowrap; }
.facts .site { display: block; }
.client { display: flex; gap: 0.75rem; }
.client > .icon { display: none; }
.claim { color: var(--muted); }
.claim .name { color: var(--ink); }
.proof { display: block; color: var(--ink); font-size: 1.25rem; line-height: 1.3; letter-spacing: -0.01em; }
.tier-document .proof, .tier-dynamic .proof { font-size: 1.625rem; line-height: 1.2; letter-spacing: -0.02em; }
.tier-approved .proof { display: inline; font-size: inherit; }
.tier-dynamic .proof { color: var(--amber); }
.tier-dynamic > .icon { display: block; color: var(--amber); margin-top: 0.4rem; }

.durations { margin: 0; padding: 0.6875rem 0; border: solid var(--line); border-width: 1px 0; }
.durations legend { float: inline-start; width: 100%; padding: 0; color: var(--muted); font-size: 0.875rem; }
.durations legend + * { clear: both; }
.durations .check { min-height: 2.5rem; padding-block: 0.375rem; }
.hand-off > * + * { margin-top: 0.5rem; }
.accounts { display: grid; gap: 0.5rem; }
.accounts li { display: flex; flex-wrap: wrap; align-items: center; justify-content: flex-end; gap: 0 0.5rem; }
.account-choice { flex: 1 1 11rem; min-width: 0; display: flex; align-items: center; gap: 0.875rem; padding: 0.625rem 0.875rem; text-align: start; background: var(--card); border: 1px solid var(--edge); border-radius: 12px; }
.account-choice:hover { background: var(--sunk); border-color: var(--ink); }
.account-choice .who { display: grid; justify-items: start; min-width: 0; }
.avatar { display: grid; place-items: center; flex: none; width: 2.5rem; height: 2.5rem; border-radius: 99px; background: var(--accent); color: var(--on-accent); font-weight: 650; }
.accounts + .button { margin-top: 1rem; }

.permissions > * + * { margin-top: 0.625rem; }
.groups { border: 1px solid var(--line); border-radius: 14px; overflow: hidden; }
.group { padding: 0.625rem 1rem; }
.group + .group { border-top: 1px solid var(--line); }
.server { margin-top: 1.25rem; }
.server > h3 { margin-bottom: 0.5rem; }
.group h3, .group h4, .group > summary { display: flex; align-items: center; gap: 0.5rem; }
.group > summary { font-size: 0.9375rem; font-weight: 650; color: var(--ink); width: auto; min-height: 2.25rem; list-style: none; }
.group > summary::-webkit-details-marker { display: none; }
.group > summary::after { content: ""; width: 0.5rem; height: 0.5rem; margin-inline: auto 0.25rem; border: solid currentColor; border-width: 0 2px 2px 0; transform: rotate(45deg); }
.group[open] > summary::after { transform: rotate(225deg); }
.group .icon { color: var(--muted); }
.risk-change h3, .risk-change h4, .risk-change .icon { color: var(--amber); }
.risk-delete { background: var(--red-soft); }
.risk-delete h3, .risk-delete h4, .risk-delete .icon { color: var(--red); }
.risk-admin { background: var(--violet-soft); }
.risk-admin h3, .risk-admin h4, .risk-admin .icon { color: var(--violet); }
.scope { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 1rem; padding: 0.25rem 0; }
.scope > span { flex: 1 1 12rem; }
.scope code { color: var(--muted); }
.choice { display: grid; grid-template-columns: auto 1fr; align-items: center; min-height: 2.75rem; cursor: pointer; gap: 0 0.75rem; }
.choice code { grid-column: 2; justify-self: start; }
.tag { display: inline-block; padding: 0 0.5rem; border: 1px solid currentColor; border-radius: 99px; font-size: 0.75rem; color: var(--muted); }
.fresh .groups { border: 2px solid var(--accent); }
.fresh .tag { color: var(--accent); font-weight: 600; }
.choice .tag { color: var(--muted); font-weight: 400; }
.ignored { color: var(--muted); }
.ignored h3 { font-size: 0.875rem; font-weight: 500; }
.ignored li { display: inline-block; margin-inline-end: 0.75rem; }

.technical > div { display: grid; gap: 0 1rem; padding: 0.375rem 0; }
.technical dt, .technical dd { font-size: 0.875rem; }
.technical dt { color: var(--muted); }
.support, .advice, .onward { padding-top: 1.25rem; border-top: 1px solid var(--line); }
.advice p, .onward p + p, .fixes, .support .technical { margin-top: 0.25rem; }
.onward .button, .advice .button, .support .copy { margin-top: 0.75rem; }
.fixes > div { padding: 0.5rem 0; }
.fixes dt { font-weight: 600; }
.fixes dd { color: var(--muted); }
.code-name { font-size: 1.25rem; font-weight: 650; }
.codes > div { padding: 0.625rem 0; border-top: 1px solid var(--line); }
.codes dd { color: var(--muted); font-size: 0.9375rem; }
.support .more { margin-top: 0.5rem; }
.more .quiet-link { padding-inline: 0; }
.difference { margin-top: 0.75rem; }
.difference > div { padding: 0.25rem 0; }
.difference dt { color: var(--muted); font-size: 0.875rem; }
.difference mark { padding: 0 0.125rem; background: var(--amber-soft); color: var(--amber); border-bottom: 2px solid; font-weight: 650; }
.outcome, .empty, .late { text-wrap: balance; }
.outcome { text-align: center; }
.outcome > * + * { margin-top: 0.5rem; }
.outcome .icon { width: 2.75rem; height: 2.75rem; color: var(--accent); stroke-width: 1.25; }
.late { font-size: 0.9375rem; text-align: center; animation: appear 0.4s 4s both; }
@keyframes appear { from { opacity: 0; } }
.secret { display: flex; flex-wrap: wrap; align-items: center; gap: 0.75rem; justify-content: space-between; padding: 0.875rem 1rem; background: var(--sunk); border: 1px solid var(--line); border-radius: 12px; }
.card > h2 + .secret { margin-top: 0.5rem; }
.secret code { font-size: 0.9375rem; }
.secret > code { user-select: all; }
.secret pre { flex: 1 1 100%; white-space: pre-wrap; }

.agents { display: grid; gap: 1rem; }
.agent { padding: 1.25rem; border: 1px solid var(--line); border-radius: 14px; }
.agent > * + * { margin-top: 0.875rem; }
.agent > .host { margin-top: 0; font-size: 0.875rem; }
.agent .on { font-weight: 400; }
.acts { display: flex; flex-wrap: wrap; gap: 0.75rem; }
.acts > * { display: flex; flex: 1 1 9rem; }
.acts .button { padding-inline: 0.5rem; }
.agent .receipts { font-size: 0.875rem; }
.agent .receipts a { display: inline-block; padding-block: 0.375rem; }
.stopped { display: flex; gap: 0.75rem; padding: 0.75rem 1rem; background: var(--amber-soft); border: 1px solid var(--amber-line); border-radius: 12px; }
.stopped .icon { color: var(--amber); margin-top: 0.125rem; }
.button.alarm { background: var(--card); color: var(--red); border-color: var(--red); }
.button.alarm:hover { background: var(--red); color: var(--card); }
.filter { display: flex; flex-wrap: wrap; align-items: end; gap: 0.5rem 1rem; }
.filter > * { flex: 1 1 10rem; }
.agent .when { display: block; }
fieldset.kept { margin-inline: 0; margin-bottom: 0; padding: 0; border: 0; min-width: 0; }
fieldset.kept legend { padding: 0; font-weight: 650; }
select { width: 100%; min-height: 3rem; padding: 0.625rem 0.875rem; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; }
select, .language select {
  --end: 100%;
  --in: -1;
  appearance: none;
  padding-inline-end: 2.25rem;
  background-image: linear-gradient(45deg, transparent 50%, currentColor 50%), linear-gradient(135deg, currentColor 50%, transparent 50%);
  background-size: 0.375rem 0.375rem;
  background-position: calc(var(--end) + var(--in) * 1.25rem) 50%, calc(var(--end) + var(--in) * 0.875rem) 50%;
  background-repeat: no-repeat;
}
[dir="rtl"] select { --end: 0%; --in: 1; background-image: linear-gradient(135deg, currentColor 50%, transparent 50%), linear-gradient(45deg, transparent 50%, currentColor 50%); }
@media (forced-colors: active) { select, .language select { appearance: auto; background-image: none; } }
.agent .mail { white-space: pre-wrap; }
.agent .tier-document .proof, .agent .tier-dynamic .proof { font-size: 1.25rem; }
.times { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; }
.times > * { min-width: 6.5rem; }
.times .line { display: block; }
.times dt { color: var(--muted); font-size: 0.875rem; }
.empty { text-align: center; padding: 1.5rem 0.5rem; }
.empty .icon { width: 2.75rem; height: 2.75rem; color: var(--accent); stroke-width: 1.25; margin-bottom: 0.5rem; }

.qr { display: block; width: min(100%, 14rem); margin-inline: auto; border: 1px solid var(--line); border-radius: 12px; }

.part { padding-top: 1.5rem; border-top: 1px solid var(--line); }
.part > * + *, .part form > * + * { margin-top: 1rem; }
.part > h2 { font-size: 1.125rem; }
.part > h2 + p { margin-top: 0.25rem; }
.part h3 + .check, .part .check + .hint { margin-top: 0; }
.entries { display: grid; gap: 0.75rem; }
.entry { padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: 14px; }
.entry > * + * { margin-top: 0.5rem; }
.problem { color: var(--red); }
.offer { padding: 0.875rem 1rem; background: var(--sunk); border: 1px solid var(--line); border-radius: 12px; }
.choices { display: flex; flex-wrap: wrap; gap: 0.75rem; margin-top: 0.75rem; }
.choices > * { flex: 1 1 8rem; }
.part .choices * { margin: 0; }

.menu { margin: 0 0.25rem 1rem; }
.menu ul { display: flex; flex-wrap: wrap; gap: 0 1rem; }
.menu a { display: inline-block; padding-block: 0.625rem; font-size: 0.9375rem; }
.menu a[aria-current] { color: var(--ink); font-weight: 650; text-decoration: none; box-shadow: inset 0 -3px var(--accent); }
.entry h2 { font-size: 1.0625rem; }
.entry h2 a { display: inline-block; padding-block: 0.25rem; }
.entry .line { display: block; }
.standing { font-size: 0.9375rem; font-weight: 600; color: var(--amber); }
.plain { display: grid; gap: 0.5rem; padding-inline-start: 1.25rem; list-style: disc; }

.foot { margin: 1.25rem 0.25rem 0; color: var(--muted); font-size: 0.875rem; }
.foot .where { display: flex; align-items: center; gap: 0.5rem; }
.foot .icon { width: 1rem; height: 1rem; }
.foot strong { color: var(--ink); }
.foot .small { display: flex; flex-wrap: wrap; align-items: center; gap: 0.125rem 1rem; margin-top: 0.25rem; }
.foot a { display: inline-block; padding-block: 0.3125rem; color: inherit; }
.foot .copy { min-width: 2.75rem; padding: 0 0.375rem; font-size: 0.75rem; background: none; color: inherit; border-color: transparent; text-decoration: underline; text-underline-offset: 0.18em; }
.foot .copy:hover { color: var(--ink); }
.request code { font-size: 0.75rem; }
.language { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 0.625rem; margin-top: 0.25rem; }
.language select { flex: 1 1 6rem; min-width: 0; max-width: 11rem; min-height: 2.75rem; padding-block: 0.25rem; padding-inline-start: 0.75rem; font: inherit; color: inherit; background-color: transparent; border: 1px solid var(--edge); border-radius: 10px; }
.part .language label { font-weight: 650; }
.part .language > * + * { margin-top: 0; }
.language option { color: var(--ink); background: var(--card); }
.language button { min-height: 2.75rem; min-width: 2.75rem; padding: 0.25rem 0.5rem; background: none; border: 1px solid transparent; border-radius: 10px; text-decoration: underline; text-underline-offset: 0.18em; }
.language select:hover, .language button:hover { color: var(--ink); }

@media (min-width: 34rem) {
  .facts > div { display: grid; grid-template-columns: 8.5rem 1fr; gap: 0 1rem; }
  .facts dt { padding-top: 0.125rem; }
  .facts .site { display: inline-block; }
  .technical > div { grid-template-columns: minmax(0, 11rem) minmax(60%, 1fr); }
  .support .technical > div { grid-template-columns: 7rem 1fr; }
  .choice { grid-template-columns: auto 1fr auto; }
  .choice code { grid-column: 3; }
  .part .button { width: fit-content; min-width: 10rem; }
  .filter > .button { flex-grow: 0; }
  .part .choices > * { flex: none; }
  .agent .button { width: auto; min-width: 10rem; }
}
@media (pointer: coarse) {
  details > summary, .group > summary { min-height: 2.75rem; padding-block: 0.6875rem; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; }
}
@media (forced-colors: active) {
  .button, .card, .copy, .reveal, .mark, .account-choice, .avatar { border: 2px solid ButtonText; }
  form[data-sent] .button { color: GrayText; }
  :focus-visible { outline-color: Highlight; }
}
@media print {
  :root { --ground: #fff; --card: #fff; --ink: #000; --muted: #333; --shadow: none; }
  .skip, .decide, .language, .button, .copy, .banner, .reveal, .account a { display: none !important; }
  .card { border: 0; padding: 0; }
  details::details-content { content-visibility: visible; height: auto; block-size: auto; }
  .late { animation: none; }
}
`;
