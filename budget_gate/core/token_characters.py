"""What single characters outside ASCII weigh, each measured by itself: data of ``core.token_pieces``.

Measured by us on 2026-11-28 with the public tokenizer of Claude 2: every character from U+0080 to U+1FFFF that normalization (NFKC)
leaves as it is, alone and with a space before it. How: docs/decisions/0006.
"""
# ruff: noqa: RUF001 - letters of other scripts look like ours

BLOCK_BITS = 6
"""A block is 64 neighbouring characters; its number is the code point without its last six bits."""

SINGLE = (
    "\x93\x97¡£¦§©«\xad°±¶·»¿ÁÅÉ×ÜàáâäåçèéêíîóöúüþčđşžΔαβγθμστφωБВДЕЗИКМНОПРСТФабвгдежзиклмнопрстуфхцчшэяבהיכלנשبموकसहလ–—‘’“”"
    "„•€→−≥╚█▐░一不个中为主从分加和在如对将开当提是更最查检模正每注用的가값개경구그기나다대리만문사수시아위이인입정제주크하한"
    "해�"
)
"""One token each, the space before them included."""

SINGLE_APART = (
    "\x92\x94¢®ÂÃÇÍÓßãæëìïðñòôõøùûýāăąćęěğīıłńōőŒœřśšţūůźżưșțɛˆεικλνοπρАГЛУХЧЯйщъыьюёєіїјњאדוחטמעפקרתاةتجحخدرزسشصطعفقكلنهىيکی"
    "\u0902तनमरल\u093e\u093f\u0940\u0947\u0948\u094b\u094d\u09beනස\u0dca\u0dcf\u0dd2อา\u0e49ကခငစညတနပမရသ\u102c\u102d\u102f"
    "\u1030\u1031\u1036\u1037\u1038\u103a\u103b\u103c\u103d\u103e၊აეი\u200b‐―‟†‡\u202c′⁄∗√∶─━┃┈┓┛═╗╝╬▀▄▌▒■▬♎♓♪⠀、。「」【】"
    "あいうえおかがきくけこさしすせそただちっつてでとどなにのはばまみめもやよらりるれわをんアィイウェエオカキクグコサシジスセ"
    "タッテデトドパフブプマムメュョラリルレロン・ー万三上下与专且业东两串临么义之乐乘也习书买了事二于云互五些交产京人什仅今仓"
    "他付代令以们件价任份企优会传似但位体何余作你使例供依保信修储元充先光克入全公共关兴其具典内册再写决况准减几出击切划列则初"
    "利别到制前剧割力功务动助包化北匹区十半华单南博占卡印即历原去县参及双反发取受变口古句只可台右号司各合吉同名后向否含启品哈"
    "响四回因团围国图土地场处备変复外多大天太失头夹子字存学宁它安完定实実客害家容密导対射小少尔就尾川州工左差己已市布带常平年"
    "并广异式引张弹归录形影径待很後得微德您戏成我或截户房所手才打执扩批找承技把投报持指按损换据掉排接控推描換搜效教数整數文料"
    "断新方族旗无日时昌明易星映显曲替月有服期未本术机来标栏树校样核根格概止此步武母比流测海深清游点為热然照爬父片版牌物特状率"
    "王环现現理生由申电画界略発登白百监盘目直相省看真着知矩短石码确示社神票离种科秒积称移程空突窗立站章端符第等答策签简算管箱"
    "类精系素索結線红约级线练组细终经结绘给络统继续维编缩网罪置群老考者而联聚股育能自至致色节花若英范获菜藏行表被装西要见规视"
    "览角解言計設计订认让训议记许论设访证评识词试话询该详语误说请读课调象資负责败账质购费资起超足距路跳身輸车转轮软轴载较辑输"
    "边达过运近返还这进连迭述追退送选递通速造遍道那邮部都配采释里重量金针钮银链销错键长開間関门闭问间闻队防阳阵际陆限院除随隔"
    "集零需青非面音页项顺须预频题颜额飞首马验高黑默齒龙간게고과내니단당도동되된번보복부분산상색서성세식야에여열오요용우원으은"
    "을음의일자작장재전지째할합호화환\ufe0f\ufeff🌕🔲🔴🔵"
)
"""One token each, and the space before them another."""

SINGLE_FAR = (
    "↑↓●◻◼⛎➖⣿⬛⬜個候値值假做停像動告员周命商器址均坐块型城域基報場填境增好始局层屏展属山峰庆序库应店度建心必志态思性总息情"
    "想意感拉拟择括播支收改放政時普景权束条板构析林果框案档楼標次段民水永求江池没河治法波活消湖源滑满滤까는드들라래량러력로료"
    "를름면미소스습어와치터트행"
)
"""One token each; together with a space before them, three."""

TWO_TOKENS = """
24-27 2E-30 32 34 36-39 40-41 43-46 74 78-7B 80-81 86 88-8A 8F 94-99 9B-9E A0-A3 AC C0-C3 138-151 153-156 158-159 15B-169
16D-173 177-185 187-1AA 1AC-1BF 1C1-1C5 1C8-1CC 1CE-1D0 1D3-1D7 1D9-1DD 1DF-1EF 1F1-205 207-213 216-217 219 21B 21E 221-223
225-22B 22D-238 23A-243 245 247 24C 252-25D 25F-263 265-266 269-26B 272 279-27B 27D-27E 2B0-2B5 2B7-2B9 2C2-2C4 2CA-2CB 2CD
2CF-2D0 2D3-2D4 2DD-2E1 2E3 2E5-2E7 2E9-2EA 2EC 2EF-2F0 2F2-2F4 2F6 2F8-2F9 303-306 308 30A-30B 315-31E 320 324 327 330 332 339
342-344 34A 34C 34F 352 354-356 358-35A 3F8 7CC 7D1-7D2 7D4 7D8 7DA
"""
"""Blocks (numbers and ranges, hexadecimal) whose other characters are at
most two tokens each. A character that is nowhere in these tables is at most a token for each of its bytes."""

THREE_TOKENS = """
400-53F 54C 580-63F 6C0-6FF 740-74F 751-755 75A 75F-7CB 7CD-7D0 7D3 7D5-7D7 7D9 7DB-7FF
"""
"""The same of three tokens, for characters of four bytes."""

SPACE_JOINS = """
2-5 C E-11 17-18 24 38 40 43 80-85 87-89 8B-8E 90-91 93-96 98-9A 9F A4-AB AD-BB BF C3 146-14A 14D-14E 152-153 157 15A 15C
16A-16C 16F-170 174-179 17C-17E 186 18A 18C 18E-18F 19B 1AB 1AD 1AF 1B5 1B7-1B8 280-2B0 2B2-2B3 2B5-2B6 2B8 2BA-2C2 2C5-2C9
2CB-2CF 2D1-2D2 2D5-2DC 2E2 2E4 2E7-2E8 2EA-2EB 2ED-2EE 2F0-2F3 2F5-2F7 2F9-304 307-309 30B-315 317-318 31A 31C-338 33A-341 343
345-349 34B 34D-351 353-355 357-359 35B-35F 7C0-7CB 7CD-7D0 7D3 7D5-7D7 7D9 7DB-7FF
"""
"""The same of those whose characters swallow the space before them."""
