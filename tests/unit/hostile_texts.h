/*
 * hostile_texts.h - what a device may put where people and programs will read it: one corpus for every escaper.
 */
#ifndef EST_HOSTILE_TEXTS_H
#define EST_HOSTILE_TEXTS_H

#include "common/base/buf.h"

#define TEXT(literal)                                                                              \
	{                                                                                          \
		(const unsigned char *)(literal), sizeof(literal) - 1                              \
	}

static const struct span hostile_texts[] = {
    TEXT(""),
    /* log lines and terminals: forged lines, cursor movements, a title, a hyperlink, C1 in both forms */
    TEXT("pump\n{\"level\":\"info\",\"outcome\":\"ok\"}"),
    TEXT("pump\r\nHTTP/1.1 200 OK"),
    TEXT("\x1b[2J\x1b[31mred\x1b[0m"),
    TEXT("\x1b]0;title\x07"),
    TEXT("\x1b]8;;http://evil.example\x1b\\pump\x1b]8;;\x1b\\"),
    TEXT("\x1b"
	 "c"),
    TEXT("\x9b"
	 "31m"),
    TEXT("\xc2\x9b"
	 "31m\xc2\x85"),
    TEXT("a\bb\vc\fd\ae\x7f"),
    TEXT("good.example\0.evil.example"),
    TEXT("\0"),
    /* lines and directions of Unicode */
    TEXT("a\xe2\x80\xa8"
	 "b\xe2\x80\xa9"
	 "c"),
    TEXT("pump\xe2\x80\xaegpj.exe"),
    TEXT("\xe2\x81\xa6"
	 "a\xe2\x81\xa9\xe2\x81\xa7\xe2\x81\xa8"),
    TEXT("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad"),
    TEXT("\xef\xbb\xbfpump"),
    TEXT("a\xe2\x80\x8b"
	 "b\xe2\x80\x8e\xe2\x80\x8f\xc2\xad"),
    TEXT("\xf3\xa0\x81\xb0\xf3\xa0\x81\xb5"),
    /* no UTF-8: alone, overlong, surrogates, beyond, cut short, in the midst */
    TEXT("\xff"),
    TEXT("\x80\xbf"),
    TEXT("\xc0\xbcscript\xc0\xbe"),
    TEXT("\xe0\x80\xbc\xf0\x80\x80\xbc"),
    TEXT("\xed\xa0\x80\xed\xbf\xbf"),
    TEXT("\xf4\x90\x80\x80\xf8\x88\x80\x80\x80"),
    TEXT("\xe2\x80"),
    TEXT("\xf0\x9f\x98"),
    TEXT("\xc2"),
    TEXT("\xe2\x80<\xc2\"\xf0\x9f\x98&"),
    TEXT("\xe2\x80\n\xc2,\xc2="),
    /* HTML, in text and in attributes */
    TEXT("<script>alert(1)</script>"),
    TEXT("</td></table><img src=x onerror=alert(1)>"),
    TEXT("\"><svg onload=alert(1)>"),
    TEXT("' onmouseover='alert(1)"),
    TEXT("` onclick=`alert(1)"),
    TEXT("&lt;b&gt;&amp;&#60;&copy"),
    TEXT("<!--"),
    TEXT("]]>"),
    TEXT("\xef\xbc\x9cscript\xef\xbc\x9e"),
    /* spreadsheets */
    TEXT("=cmd|' /C calc'!A0"),
    TEXT("+1+1"),
    TEXT("-2+3"),
    TEXT("@SUM(A1)"),
    TEXT("\t=1"),
    TEXT("\r=1"),
    TEXT("\n=1"),
    TEXT("  =1"),
    TEXT(" \t=1"),
    TEXT("\xef\xbc\x9d"
	 "1"),
    TEXT("a,b;c\td"),
    TEXT("a\"b"),
    TEXT("\""),
    TEXT("\"\""),
    TEXT("a\",=1,\"b"),
    TEXT("'=1"),
    /* JSON and shells */
    TEXT("\\\"},{\\"),
    TEXT("\\u000a\\n"),
    TEXT("$(id)`id`;id|id"),
    TEXT("%s%n%x"),
    /* distinguished names */
    TEXT(",+\"\\<>;="),
    TEXT("CN=a,O=b+OU=c"),
    TEXT("#30"),
    TEXT(" "),
    TEXT("  "),
    TEXT(" a "),
    TEXT("\\"),
    TEXT("\\,"),
    TEXT("a\\20"),
    /* nothing wrong with these */
    TEXT("pump-1.example"),
    TEXT("Ger\xc3\xa4t \xe6\xb3\xb5 \xf0\x9f\x94\xa7"),
    TEXT("\xef\xbf\xbd\xef\xbf\xbe\xf4\x8f\xbf\xbf"),
};

/* Octets from the corpus, and every octet alone, at the edges and in the midst, and every C1 control in UTF-8. */
static inline void hostile_each(void (*check)(struct span text))
{
	for (size_t i = 0; i < sizeof(hostile_texts) / sizeof(hostile_texts[0]); i++)
		check(hostile_texts[i]);
	for (unsigned c = 0; c < 256; c++) {
		unsigned char octet = (unsigned char)c;
		const unsigned char last[] = {'a', octet}, inside[] = {'a', octet, 'b'};
		check((struct span){&octet, 1});
		check((struct span){last, 2});
		check((struct span){inside + 1, 2});
		check((struct span){inside, 3});
	}
	for (unsigned c = 0x80; c < 0xa0; c++) {
		const unsigned char text[] = {'a', 0xc2, (unsigned char)c, 'b'};
		check((struct span){text, 4});
	}
}

#endif
