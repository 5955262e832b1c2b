//! One realistic file per language.

use expect_test::expect;

use super::tests::check;

#[test]
fn java() {
    check(
        "src/A.java",
        r#"package a.b;
import java.util.List;

@Service
public final class Store<T extends Comparable<T>> implements Closeable {
    private static final int LIMIT = 3;
    private final List<T> items;

    @Inject
    public Store(List<T> items) {
        int local = 1;
        this.items = items;
    }

    @Override
    public <R> R map(Function<T, R> f) {
        Runnable r = new Runnable() { public void run() {} };
        return null;
    }

    public static class Builder {
        Store build() { return null; }
    }

    enum State { OPEN, CLOSED; boolean isOpen() { return this == OPEN; } }
}
interface Shape permits Circle { double PI = 3.14; double area(); }
record Circle(double radius) implements Shape { Circle { } }
@interface Marker { String value() default ""; }
"#,
        expect![[r#"
            class Store 4-26
            constant LIMIT 6-6
            method Store 9-13
            method map 15-19
            method run 17-17
            class Builder 21-23
            method build 22-22
            enum State 25-25
            method isOpen 25-25
            interface Shape 27-27
            constant PI 27-27
            method area 27-27
            class Circle 28-28
            method Circle 28-28
            interface Marker 29-29
            method value 29-29
        "#]],
    );
}

#[test]
fn kotlin() {
    check(
        "A.kt",
        r#"package a.b

const val LIMIT = 3
typealias Handler = (Int) -> Unit

@Serializable
data class User<T>(val name: String) : Base() {
    private val field = 1
    fun greet(): String { val local = 1; return name }
    companion object Factory {
        const val MAX = 10
        fun create() = User<Int>("a")
    }
    inner class Inner
}
sealed interface Shape {
    fun area(): Double
}
enum class State {
    OPEN, CLOSED;
    fun isOpen() = this == OPEN
}
object Registry {
    fun register(x: Any) {}
}
fun <T> List<T>.second(): T = this[1]
val String.shout: String get() = uppercase()
suspend operator fun Point.plus(other: Point): Point { fun helper() {}; return this }
"#,
        expect![[r#"
            constant LIMIT 3-3
            type Handler 4-4
            class User 6-15
            method greet 9-9
            class Factory 10-13
            constant MAX 11-11
            method create 12-12
            class Inner 14-14
            interface Shape 16-18
            method area 17-17
            enum State 19-22
            method isOpen 21-21
            class Registry 23-25
            method register 24-24
            function second 26-26
            constant shout 27-27
            function plus 28-28
            function helper 28-28
        "#]],
    );
}

#[test]
fn c() {
    check(
        "a.c",
        r#"#include <stdio.h>
#ifndef GUARD_H
#define GUARD_H
#define LIMIT 3
#define MAX(a, b) \
    ((a) > (b) ? (a) : (b))

typedef struct {
    int x;
} Point;
typedef struct node { struct node *next; } node_t;
typedef int (*handler_fn)(int, void *);
typedef unsigned long size;
enum color { RED, GREEN };
union value { int i; float f; };
struct forward;

extern int counter;
static const char *names[] = { "a", "b" };
int (*callback)(int);
int parse_url(const char *text, struct point *out);

static inline char *
find(const char *text)
{
    int local = 1;
    return 0;
}

int (*pick(int which))(int) { return 0; }
#endif
"#,
        expect![[r#"
            macro LIMIT 4-4
            macro MAX 5-6
            struct Point 8-10
            struct node_t 11-11
            struct node 11-11
            type handler_fn 12-12
            type size 13-13
            enum color 14-14
            struct value 15-15
            constant counter 18-18
            constant names 19-19
            constant callback 20-20
            function parse_url 21-21
            function find 23-28
            function pick 30-30
        "#]],
    );
}

#[test]
fn cpp() {
    check(
        "a.cpp",
        r#"#pragma once
namespace a::b {
template <typename T>
class Stack : public Base<T> {
 public:
    Stack();
    explicit Stack(int n) : n_(n) {}
    virtual ~Stack() = default;
    void push(const T& value);
    T& operator[](int i) { return data_[i]; }
    operator bool() const { return true; }
    static constexpr int kMax = 3;
    struct Node { Node* next; };
    enum class State : int { Open, Closed };
 private:
    int n_;
};

template <typename T>
void Stack<T>::push(const T& value) { auto f = [](int x) { return x; }; }

bool operator==(const Point& a, const Point& b);
using Callback = std::function<void(int)>;
template <class T> concept Addable = requires(T a) { a + a; };
namespace { int hidden = 1; }
}  // namespace
class EXPORT Widget : public Object {
 public:
    void paint();
    int width_;
};
class Forward;
a::b::Point::Point(int x) : x_(x) {}
std::string& name(int x) { int local(3); return x; }
"#,
        expect![[r#"
            module a::b 2-26
            class Stack 4-17
            method Stack 6-6
            method Stack 7-7
            method ~Stack 8-8
            method push 9-9
            method operator[] 10-10
            method operator bool 11-11
            struct Node 13-13
            enum State 14-14
            method push 20-20
            function operator== 22-22
            type Callback 23-23
            trait Addable 24-24
            constant hidden 25-25
            class Widget 27-31
            method paint 29-29
            method Point 33-33
            function name 34-34
        "#]],
    );
}

#[test]
fn headers_are_c_or_cpp_by_their_text() {
    check(
        "a.h",
        "struct class_of { int x; };\nint f(void);\n",
        expect![[r#"
        struct class_of 1-1
        function f 2-2
    "#]],
    );
    check(
        "b.h",
        "namespace n {\nclass A { void m(); };\n}\n",
        expect![[r#"
        module n 1-3
        class A 2-2
        method m 2-2
    "#]],
    );
}

#[test]
fn c_sharp() {
    check(
        "src/Store.cs",
        r#"using System;
namespace Shop.Orders;

[Serializable]
public sealed class Store<T> : IDisposable where T : class
{
    public const int Limit = 3;
    private static readonly object Gate = new();
    private int count;

    public Store(int count) { this.count = count; }

    public int Count => count;

    public async Task<T> FindAsync(string name)
    {
        int Local(int x) => x + 1;
        return await Task.Run(() => default(T));
    }

    public event EventHandler Changed { add { } remove { } }

    private enum State { Open, Closed }
}

public record Order(string Name, decimal Price);
public struct Point { public int X; }
public interface IShape { double Area(); }
public delegate void Handler(object sender);
"#,
        expect![[r#"
            module Shop.Orders 2-2
            class Store 4-24
            constant Limit 7-7
            constant Gate 8-8
            method Store 11-11
            method Count 13-13
            method FindAsync 15-19
            method Changed 21-21
            enum State 23-23
            class Order 26-26
            struct Point 27-27
            interface IShape 28-28
            method Area 28-28
            type Handler 29-29
        "#]],
    );
}
