//! The style of the page: one column that widens, light and dark by the reader's preference, no font and no file from
//! elsewhere.

use crate::chart::stylesheet;

/// Colours of the page, for light and for dark.
const LIGHT: &str = "--ground:#f5f6f8;--paper:#fff;--ink:#1b2530;--pale:#56626e;--rule:#dfe4e9;--good:#00704f;\
                     --good-tint:#e3f4ee;--bad:#a8430a;--bad-tint:#fdeee2;--open:#7a5c00;--open-tint:#fbf3d9;";
const DARK: &str = "--ground:#0e1318;--paper:#161c23;--ink:#e4eaf0;--pale:#9ba8b5;--rule:#2a323b;--good:#4fd1a5;\
                    --good-tint:#10302a;--bad:#ff9d57;--bad-tint:#38210f;--open:#e8c24a;--open-tint:#322a10;";

/// The whole style sheet.
pub(super) fn stylesheet_of_page() -> String {
    format!(
        ":root{{color-scheme:light dark;{LIGHT}{}}}@media(prefers-color-scheme:dark){{:root{{{DARK}{}}}}}{}",
        stylesheet(false),
        stylesheet(true),
        RULES.replace('\n', "")
    )
}

const RULES: &str = "
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1160px;margin:0 auto;padding:28px 24px 56px}
h1{font-size:1.75rem;line-height:1.2;margin:.1em 0 .2em;letter-spacing:-.01em;text-wrap:balance}
h2{font-size:1.2rem;margin:2.4em 0 .7em}
h3{font-size:1rem;line-height:1.35;margin:0 0 .3em;text-wrap:pretty}
p{margin:.4em 0}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.875em}
pre{background:var(--paper);border:1px solid var(--rule);border-radius:8px;padding:12px 14px;white-space:pre-wrap;overflow-wrap:anywhere;margin:.6em 0}
a{color:inherit}
.over{color:var(--pale);font-size:.85rem;margin:0}
.question{font-size:1.1rem;color:var(--pale);margin:0 0 1em;text-wrap:pretty}
.verdict{display:flex;gap:12px;align-items:baseline;border-radius:10px;padding:11px 16px;margin:0;font-weight:600}
.verdict ul{font-weight:400;margin:.3em 0 0;padding-left:1.1em}
.verdict .word{text-transform:uppercase;letter-spacing:.04em;font-size:.85rem;white-space:nowrap}
.held{color:var(--good);background:var(--good-tint)}
.violated{color:var(--bad);background:var(--bad-tint)}
.undecided,.stopped{color:var(--open);background:var(--open-tint)}
.verdict>div{color:var(--ink)}
.stopped{margin-bottom:8px}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:14px 0 0;padding:0;list-style:none}
.tiles li,.stage,figure,.card{background:var(--paper);border:1px solid var(--rule);border-radius:10px}
.tiles li{padding:12px 16px}
.tiles .label{font-size:.85rem;line-height:1.3;color:var(--pale);display:block;margin-bottom:2px}
.tiles .value{font-size:1.7rem;font-weight:650;line-height:1.2;letter-spacing:-.01em;display:block}
.tiles .more{font-size:.85rem;color:var(--pale);line-height:1.35;display:block}
.tiles .warn .value,.warn-text{color:var(--bad)}
.flow{display:flex;gap:26px;margin:14px 0 0;align-items:stretch}
.flow>div{flex:1 1 0;min-width:0;display:flex;flex-direction:column;gap:8px;justify-content:center;position:relative}
.flow>div+div:before{content:'';position:absolute;left:-18px;top:calc(50% - 4px);width:8px;height:8px;border:solid var(--pale);border-width:2px 2px 0 0;transform:rotate(45deg)}
.stage{padding:10px 12px;font-size:.82rem;line-height:1.4;overflow-wrap:anywhere}
.stage b{font-size:.86rem}
.stage span{display:block;color:var(--pale)}
.stage .warn-text{color:var(--bad)}
.charts{display:grid;grid-template-columns:1fr 1fr;gap:16px}
figure{margin:0;padding:16px 18px 12px;min-width:0;display:flex;flex-direction:column}
figure.wide{grid-column:1/-1}
figcaption{margin-bottom:4px}
.caption{color:var(--pale);font-size:.85rem;line-height:1.45;margin:8px 0 0;text-wrap:pretty}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin:0 0 2px;padding:0;list-style:none;font-size:.82rem}
.legend i{display:inline-block;width:13px;height:11px;border-radius:2px;margin-right:6px;vertical-align:-1px}
.legend .dash i{height:0;border-radius:0;border-top:2px dashed;vertical-align:3px;width:16px}
.panels{margin-top:auto}
.many{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:14px 22px}
.panel{min-width:0}
.panel h4{font-size:.85rem;margin:6px 0 0;font-weight:600;min-height:1.3em}
.unit{font-size:.75rem;color:var(--pale);line-height:1;margin:6px 0 17px}
.plot{position:relative;height:210px;margin:0 10px 0 52px}
.wide .plot{height:240px}
.many .plot{height:150px}
.plot svg{position:absolute;inset:0;width:100%;height:100%;display:block}
.plot svg *{vector-effect:non-scaling-stroke;stroke-linejoin:round}
.plot span{position:absolute;font-size:.75rem;line-height:1;color:var(--pale);white-space:nowrap}
.plot .y{right:100%;margin-right:7px;transform:translateY(-50%)}
.rows .plot{margin-left:190px}
.rows .unit{margin:0 0 4px}
.plot .row{white-space:normal;width:178px;text-align:right;line-height:1.15;color:var(--ink);font-size:.78rem}
.plot .x{top:100%;margin-top:7px;transform:translateX(-50%)}
.plot .mark{bottom:100%;margin-bottom:3px;transform:translateX(-50%);font-weight:600;font-size:.7rem}
.plot .left{transform:translateX(-100%)}
.plot .right{transform:none}
.plot .limit{right:4px;transform:translateY(-130%);color:var(--ink);font-weight:600;background:color-mix(in srgb,var(--paper) 78%,transparent);border-radius:3px;padding:1px 3px}
.xunit{text-align:right;font-size:.75rem;color:var(--pale);line-height:1;margin:25px 10px 0 0}
.card{padding:14px 18px;margin:0 0 14px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th{font-weight:600;text-align:left;color:var(--pale);font-size:.8rem;vertical-align:bottom}
th,td{padding:7px 12px 7px 0;border-bottom:1px solid var(--rule)}
td{vertical-align:top}
tr:last-child td{border-bottom:0}
.number{text-align:right;white-space:nowrap}
.chip{display:inline-block;border-radius:99px;padding:1px 9px;font-size:.78rem;font-weight:600;white-space:nowrap}
.id{white-space:nowrap}
.usage{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,260px),1fr));gap:16px 32px}
.usage dl{gap:2px 20px;margin-top:4px}
.fact{color:var(--pale);font-size:.78rem;white-space:nowrap}
.meter{display:block;height:7px;min-width:90px;border-radius:4px;background:var(--rule);overflow:hidden;margin-top:7px}
.meter i{display:block;height:100%;background:var(--accepted)}
.meter .full{background:var(--refused)}
.list{margin:.2em 0;padding-left:1.15em}
.list li{margin:.35em 0}
.changes{margin:0 0 14px;padding:0;list-style:none;font-size:.9rem;color:var(--pale)}
.changes b{display:inline-block;min-width:1.5em;text-align:center;border:1px dashed var(--change);border-radius:4px;margin-right:8px;font-size:.75rem;color:var(--ink)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:5px 20px;margin:0;font-size:.9rem}
dt{color:var(--pale)}
dd{margin:0;overflow-wrap:anywhere}
details{margin-top:8px}
summary{cursor:pointer;font-size:.9rem;color:var(--pale)}
.lanes{margin:12px 0 4px;font-size:.82rem}
.lane{display:grid;grid-template-columns:110px 1fr;align-items:center;gap:14px;height:44px}
.track{position:relative;height:2px;margin:0 26px;background:var(--rule)}
.track i{position:absolute;height:6px;top:-2px;border-radius:3px}
.track .wait{background:var(--refused)}
.track .stay{background:var(--accepted)}
.track b{position:absolute;top:-6px;width:13px;height:13px;margin-left:-6.5px;border-radius:50%;background:var(--paper);border:3px solid var(--ink)}
.track .effect{background:var(--done);border-color:var(--done)}
.track .again{background:var(--refused);border-color:var(--refused);width:9px;height:9px;top:-3.5px;margin-left:-4.5px;border-radius:2px;transform:rotate(45deg)}
.track .saved{border-color:var(--accepted)}
.evidence{font-size:.92rem}
footer{color:var(--pale);font-size:.82rem;margin-top:40px}
@media(max-width:760px){
main{padding:18px 14px 40px}
h1{font-size:1.4rem}
.question{font-size:1rem}
.verdict{flex-direction:column;gap:2px;padding:10px 14px}
.tiles{grid-template-columns:1fr 1fr;gap:8px}
.tiles li{padding:10px 12px}
.tiles .value{font-size:1.35rem}
.flow{flex-direction:column;gap:16px}
.flow>div+div:before{left:calc(50% - 3px);top:-14px;width:7px;height:7px;transform:rotate(135deg)}
.stage{padding:7px 12px}
.stage b{display:block}
.stage span{display:inline}
.stage span+span:before{content:' · ';color:var(--pale)}
.charts{grid-template-columns:minmax(0,1fr)}
figure{padding:13px 13px 10px}
.plot,.wide .plot{height:190px;margin-left:46px}
.rows .plot,.wide .rows .plot{margin-left:118px}
.plot .row{width:108px;font-size:.72rem}
.lane{grid-template-columns:74px 1fr;gap:8px}
.track{margin:0 10px}
dl{grid-template-columns:1fr;gap:0}
dd{margin-bottom:8px}
.usage dl{grid-template-columns:max-content 1fr}
.usage dd{margin:0}
table.stack,.stack tbody,.stack tr,.stack td{display:block;width:100%}
.stack thead{display:none}
.stack tr{padding:8px 0;border-bottom:1px solid var(--rule)}
.stack tr:last-child{border-bottom:0}
.stack td{border:0;padding:1px 0;text-align:left;white-space:normal}
.stack td[data-label]:before{content:attr(data-label) ': ';color:var(--pale);font-size:.8rem}
}
@media print{body{background:#fff}figure,.card,.tiles li,.stage{break-inside:avoid}}
";
