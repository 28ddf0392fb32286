/*
 * mutate.h - changes DER so that it stays DER.
 *
 * An octet changed at random nearly always breaks a length, and a reader of strict DER then never
 * gets to see the rest. So most changes are made to one value of the tree, and the lengths above it
 * are made right again. Every target that takes DER shares this as its LLVMFuzzerCustomMutator().
 */
#ifndef EST_FUZZ_MUTATE_H
#define EST_FUZZ_MUTATE_H

#ifdef EST_FUZZING

#include <string.h>

#include "common/pki/der.h"

#define NODES 512
#define DEPTH 16
#define ROOT  SIZE_MAX

/* A value: where it begins in the input, where its content does, where both end. */
struct node {
	size_t at, content, end;
	size_t parent; /* of the tree, or ROOT */
};

struct tree {
	struct span in;
	struct node nodes[NODES];
	size_t count;
};

/* Whether values and nothing else lie there. */
static inline bool all_values(struct span rest)
{
	struct der value;

	if (rest.len == 0)
		return false;
	while (rest.len > 0)
		if (der_next(&rest, &value) != EST_OK)
			return false;
	return true;
}

static inline void plant(struct tree *tree, struct span rest, size_t parent, unsigned depth)
{
	struct der value;

	while (tree->count < NODES && rest.len > 0 && der_next(&rest, &value) == EST_OK) {
		size_t node = tree->count++;
		struct span inner = value.content;
		tree->nodes[node] = (struct node){.at = (size_t)(value.whole.data - tree->in.data),
		    .content = (size_t)(value.content.data - tree->in.data),
		    .end = (size_t)(value.whole.data - tree->in.data) + value.whole.len,
		    .parent = parent};
		if (value.tag == DER_BIT_STRING && inner.len > 0) {
			inner.data++;
			inner.len--;
		}
		/* Extensions and keys hide their values in strings of octets and bits. */
		if (depth < DEPTH && ((value.tag & 0x20) != 0 || all_values(inner)))
			plant(tree, inner, node, depth + 1);
	}
}

/* The input with a node's octets exchanged, and with every length above it made right. */
static inline void exchange(const struct tree *tree, size_t node, struct span with, struct buf *out)
{
	const unsigned char *in = tree->in.data;
	size_t from = tree->nodes[node].at, until = tree->nodes[node].end;
	struct buf inner = {0};

	buf_add_span(&inner, with);
	for (size_t p = tree->nodes[node].parent; p != ROOT; p = tree->nodes[p].parent) {
		const struct node *parent = &tree->nodes[p];
		struct buf outer = {0};
		size_t mark = der_open(&outer, in[parent->at]);
		buf_add(&outer, in + parent->content, from - parent->content);
		buf_add_span(&outer, buf_span(&inner));
		buf_add(&outer, in + until, parent->end - until);
		der_close(&outer, mark);
		buf_free(&inner);
		inner = outer;
		from = parent->at;
		until = parent->end;
	}
	buf_add(out, in, from);
	buf_add_span(out, buf_span(&inner));
	buf_add(out, in + until, tree->in.len - until);
	buf_free(&inner);
}

static inline struct span whole_of(const struct tree *tree, size_t node)
{
	const struct node *n = &tree->nodes[node];

	return (struct span){tree->in.data + n->at, n->end - n->at};
}

/* The value with its content changed by libFuzzer, or under another tag. */
static inline void change_value(
    const struct tree *tree, size_t node, bool tag, unsigned dice, struct buf *out)
{
	static const unsigned char tags[] = {DER_BOOLEAN, DER_INTEGER, DER_BIT_STRING,
	    DER_OCTET_STRING, DER_NULL, DER_OID, DER_UTF8, DER_NUMERIC, DER_PRINTABLE, DER_TELETEX,
	    DER_IA5, DER_UTC_TIME, DER_GENERALIZED_TIME, DER_VISIBLE, DER_UNIVERSAL, DER_BMP,
	    DER_SEQUENCE, DER_SET, 0x80, 0x81, 0x82, 0x86, 0x87, 0x88, 0xa0, 0xa3, 0xa4};
	const struct node *n = &tree->nodes[node];
	size_t len = n->end - n->content, most = len + 64;
	unsigned char *content = mem_alloc(most);
	size_t mark;

	memcpy(content, tree->in.data + n->content, len);
	mark = der_open(out, tag ? tags[dice % sizeof(tags)] : tree->in.data[n->at]);
	buf_add(out, content, tag ? len : LLVMFuzzerMutate(content, len, most));
	der_close(out, mark);
	free(content);
}

/* What stands in the place of a node: one of seven changes. */
static inline void change(const struct tree *tree, size_t node, unsigned dice, struct buf *out)
{
	/* Bounds that something counts up to, and one more. */
	static const unsigned repeats[] = {2, 2, 3, 20, 21, 32, 33, 100, 101};
	struct span whole = whole_of(tree, node);
	unsigned how = dice % 16, rest = dice / 16;

	if (how == 0)
		return; /* it goes */
	if (how == 1) {
		for (unsigned i = repeats[rest % (sizeof(repeats) / sizeof(repeats[0]))]; i > 0;
		     i--)
			buf_add_span(out, whole);
	} else if (how == 2) {
		buf_add_span(out, whole_of(tree, rest % tree->count));
	} else if (how == 3) {
		buf_add_span(out, whole);
		buf_add_span(out, whole_of(tree, rest % tree->count));
	} else if (how == 4) {
		buf_add_byte(out, whole.data[0]);
		buf_add_byte(out, 0);
	} else {
		change_value(tree, node, how < 7, rest, out);
	}
}

static inline size_t mutate_der(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	struct tree *tree = mem_alloc(sizeof(*tree));
	struct buf part = {0}, out = {0};
	uint64_t dice =
	    (uint64_t)seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	size_t node;

	tree->in = (struct span){data, size};
	plant(tree, tree->in, ROOT, 0);
	/* One change in eight is to octets all the same: broken DER has to be refused, too. */
	if (tree->count > 0 && dice >> 61 != 0) {
		node = (size_t)(dice >> 40) % tree->count;
		change(tree, node, (unsigned)(dice >> 16 & 0xffffff), &part);
		exchange(tree, node, buf_span(&part), &out);
	}
	if (out.len > 0 && out.len <= most) {
		memcpy(data, out.data, out.len);
		size = out.len;
	} else {
		size = LLVMFuzzerMutate(data, size, most);
	}
	buf_free(&part);
	buf_free(&out);
	free(tree);
	return size;
}

#endif
#endif
