"""Which encoding bytes are in that are no UTF-8 and say nothing of themselves.

Pages declare something and are of one encoding (:mod:`crawler.http.decode`); files of a tracker do neither,
and are in any encoding that people of its languages have used. Each candidate reads the bytes; the one wins
whose characters are the most usual ones of its language: a wrong reading gives letters too, but rare ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache

_SAMPLE = 1 << 15  # bytes; more of them say no more
_LIKE_BEFORE = 0.15  # how much worse the encoding of the lines before may look and still be believed

_KOREAN = """
    이다의는에가을하고를로은한기지도리사서자어시나대인아정해스보일라수전그부제장들과만원주상성않니있없것게우여조공구용습했면
    러때으며동까적안된되중비교마무음업세화생실내방경신식오유치국소관민년분발요연선체간개계회학력당던모후건단권위금양속노영통특
    타터트프드르크데파설접류결패예외찾버응답값열닫잘못입출호완료종법메상태락됐합십확
"""
_CHINESE = """
    的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生自会那后能对着事其里所去行过家十用发天
    如然作方成者多日都三小军二无同么经法当起与好看学进种将还分此心前面又定见只主没公从知使现门机理力民文高部件数据系统错误失败
    连接户服务器启动异常请求响应超密码登录网络端口程序运配置路径目信息问题执处返回内存线更新安装版本已正开始结束志警告打关闭
    读取写入删除创建测试功界显示量类型参值字段表库查询语句
"""
_TRADITIONAL = """
    的一是不了人我在有他這為之大來以個中上們到說國和地也子時道出而要於就下得可你年生自會那後能對著事其裡所去行過家十用發天
    如然作方成者多日都三小二無同麼經法當起與好看學進種將還分此心前面又定見只主沒公從知使現門機理力民文高部件數據系統錯誤失敗
    連接戶服務器啟動異常請求回應逾密碼登錄網路埠程式執配置徑目資訊問題處返內存線更新安裝版本已正開始結束誌警告關閉讀取寫入
    刪除建立測試功能介面顯示量類型參值欄位表庫查詢檔案
"""
_CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчй"  # in order of how usual they are
_WESTERN = frozenset("éèàùâêîôûçäöüßñáíóúåæøãìòëïÄÖÜÉÀÇÅØÑ")
_CENTRAL = frozenset("ąćęłńóśźżáčďéěíňřšťúůýžőűöüäôľĺŕšžŁŚŻŠČŘŽÁÉÍÓÖŐÚÜŰßâăîșşţ")
_TURKISH = frozenset("ğışüöçĞİŞÜÖÇâîû")
_SIGNS = frozenset("¡¿©®°·«»“”‘’–—…€£±µ§×²³½•™")
_CJK_SIGNS = frozenset("，。：；？！（）「」『』【】、“”‘’…《》—・ー　～")


@cache
def _frequent(letters: str) -> frozenset[str]:
    return frozenset(letters) - frozenset(" \n")


def _korean(character: str, codec: str) -> float:
    if character in _frequent(_KOREAN):
        return 1.0
    if "가" <= character <= "힣":
        return 0.45 if _is_in(character, "euc_kr") else -0.5
    return 0.3 if character in _CJK_SIGNS else -0.3


def _chinese(character: str, codec: str) -> float:
    if character in _frequent(_CHINESE if codec == "gb18030" else _TRADITIONAL):
        return 1.0
    if character in _CJK_SIGNS:
        return 0.8
    if "\u4e00" <= character <= "\u9fff":
        if codec != "gb18030":
            return 0.3 if character.encode(codec, "replace")[0] < 0xC7 else -0.1
        raw = character.encode(codec, "replace")
        if len(raw) != 2 or raw[0] < 0xB0 or raw[1] < 0xA1:
            return -0.5
        return 0.35 if raw[0] < 0xD8 else -0.1
    return -0.5


def _japanese(character: str, codec: str) -> float:
    if "\u3041" <= character <= "\u30fe":
        return 1.0
    if character in _CJK_SIGNS:
        return 0.6
    if "\u4e00" <= character <= "\u9fff":
        lead = character.encode(codec, "replace")[0]
        return 0.45 if lead < (0x98 if codec == "cp932" else 0xD0) else -0.2
    return -0.4


def _cyrillic(character: str, codec: str) -> float:
    at = _CYRILLIC.find(character)
    if at >= 0:
        return 1.0 - at * 0.01
    if "а" <= character <= "я" or character == "ё":
        return 0.5
    if "А" <= character <= "Я" or character == "Ё":
        return 0.35
    return 0.1 if character in _SIGNS else -0.7


def _western(character: str, codec: str) -> float:
    return 0.8 if character in _WESTERN else 0.5 if character in _SIGNS else -0.6


def _central(character: str, codec: str) -> float:
    return 0.75 if character in _CENTRAL else 0.45 if character in _SIGNS else -0.6


def _turkish(character: str, codec: str) -> float:
    return 0.78 if character in _TURKISH else 0.4 if character in _SIGNS else -0.6


def _greek(character: str, codec: str) -> float:
    if character in "αοιετσνηυρπκμλςςάέήίόύώ":
        return 0.95
    return 0.4 if "Ά" <= character <= "ώ" else -0.7


def _hebrew(character: str, codec: str) -> float:
    return 0.8 if "א" <= character <= "ת" else -0.7


def _arabic(character: str, codec: str) -> float:
    if character in "الينموردتبعسهقف":
        return 0.95
    return 0.4 if "ء" <= character <= "ي" else -0.7


_Usual = Callable[[str, str], float]
_CANDIDATES: dict[str, _Usual] = {
    "cp949": _korean,
    "cp932": _japanese,
    "euc_jp": _japanese,
    "gb18030": _chinese,
    "big5hkscs": _chinese,
    "cp1251": _cyrillic,
    "koi8_r": _cyrillic,
    "cp866": _cyrillic,
    "iso8859_5": _cyrillic,
    "cp1252": _western,
    "iso8859_2": _central,
    "cp1250": _central,
    "cp1254": _turkish,
    "cp1253": _greek,
    "iso8859_7": _greek,
    "cp1255": _hebrew,
    "cp1256": _arabic,
    "iso8859_6": _arabic,
}
_ALPHABETS = frozenset({_cyrillic, _greek, _hebrew, _arabic})
_SINGLE = _ALPHABETS | {_western, _central, _turkish}


def guess(data: bytes, before: str | None = None) -> str:
    """Python's name of the encoding that these bytes are most probably in.

    Args:
        data: lines that are no UTF-8.
        before: the encoding of other lines of the file.
    """
    data = data[:_SAMPLE]
    scores = {codec: _score(data, codec, usual) for codec, usual in _CANDIDATES.items()}
    best = max(scores, key=scores.__getitem__)
    if before in scores and scores[before] >= scores[best] - _LIKE_BEFORE:
        return before
    return best


def _score(data: bytes, codec: str, usual: _Usual) -> float:
    """How usual the characters are, of one byte, 1 at most."""
    text = data.decode(codec, "replace")
    high = sum(count for byte, count in Counter(data).items() if byte >= 0x80)
    points = 0.0
    for character, count in Counter(text).items():
        if character == "\ufffd":
            points -= 2.0 * count
        elif not character.isascii():
            # A character's two bytes are two witnesses, though the second may look like ASCII.
            width = 1 if usual in _SINGLE else len(character.encode(codec, "replace"))
            points += usual(character, codec) * min(width, 2) * count
        elif character == "\x7f":
            points -= count
    if usual in _SINGLE:
        points -= sum(
            map(_is_odd, text, text[1:], text[2:])
            if usual not in _ALPHABETS
            else map(_is_mixed, text, text[1:])
        )
    return points / max(high, 1)


def _is_mixed(left: str, right: str) -> bool:
    """Whether a word goes on in another alphabet, or in capitals."""
    if left.isascii() != right.isascii():
        return left.isalpha() and right.isalpha()
    return right >= "\x80" and left.islower() and right.isupper()


def _is_odd(left: str, middle: str, right: str) -> float:
    """How little a letter with an accent stands as it does in words, which are mostly of ASCII letters."""
    if middle.isascii():
        return 0.0
    if not left.isascii() and not right.isascii():
        return 0.8
    return 0.5 if middle.isalpha() and not (left.isalpha() or right.isalpha()) else 0.0


@cache
def _is_in(character: str, codec: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
