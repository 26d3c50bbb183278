// Marks what libpenstock gives to plugins and programs; all else is hidden.
#pragma once

#define PENSTOCK_API __attribute__((visibility("default")))
