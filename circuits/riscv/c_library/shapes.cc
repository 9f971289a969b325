// Accepts if the area of some shapes is the one expected. C++ without a library: static objects,
// virtual functions, new and delete, templates, variables that are initialised when first used.
//
// Inputs: number of shapes; for each, 0 and a side, or 1, a width and a height; the sum of the
// areas expected, modulo 2^32.
#include "tapcourt.h"

// Reads the inputs in order, and counts the readers.
class Inputs {
public:
    Inputs() { readers++; }
    uint32_t word() { return tapcourt_input(next++); }
    static uint32_t readers;

private:
    uint32_t next = 0;
};

uint32_t Inputs::readers = 0;

static Inputs &inputs() {
    static Inputs only;
    return only;
}

class Shape {
public:
    virtual ~Shape() = default;
    virtual uint32_t area() const = 0;
};

class Square : public Shape {
public:
    Square() : side(inputs().word()) {}
    uint32_t area() const override { return side * side; }

private:
    uint32_t side;
};

class Rectangle : public Shape {
public:
    Rectangle() : width(inputs().word()), height(inputs().word()) {}
    uint32_t area() const override { return width * height; }

private:
    uint32_t width, height;
};

// A list that grows.
template <typename T> class List {
public:
    ~List() {
        for (uint32_t i = 0; i < length; i++) {
            delete items[i];
        }
        delete[] items;
    }

    void append(T *item) {
        if (length == room) {
            room = room == 0 ? 1 : 2 * room;
            T **larger = new T *[room];
            for (uint32_t i = 0; i < length; i++) {
                larger[i] = items[i];
            }
            delete[] items;
            items = larger;
        }
        items[length++] = item;
    }

    T *const *begin() const { return items; }
    T *const *end() const { return items + length; }

private:
    T **items = nullptr;
    uint32_t length = 0, room = 0;
};

// A static object: its constructor runs before main and reads the first input word, its destructor
// after it.
static const uint32_t count = inputs().word();
static List<Shape> shapes;

int main() {
    for (uint32_t i = 0; i < count; i++) {
        switch (inputs().word()) {
        case 0: shapes.append(new Square); break;
        case 1: shapes.append(new Rectangle); break;
        default: return TAPCOURT_REJECT;
        }
    }
    uint32_t sum = 0;
    for (const Shape *shape : shapes) {
        sum += shape->area();
    }
    return sum == inputs().word() && Inputs::readers == 1 ? TAPCOURT_ACCEPT : TAPCOURT_REJECT;
}
