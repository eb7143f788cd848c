/* What only programs of Windows can do to programs of Windows:
 *   helper interrupt PROGRAM ARGUMENTS...   runs it, and presses Ctrl-C when standard input ends
 *   helper hold FILE                        keeps a file open and shares it with nobody until then
 *   helper run PROGRAM ARGUMENTS...         runs it, and writes how it ended to the file that the
 *                                           variable GOSYNC_EXIT_CODE names
 */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

static BOOL WINAPI ignore(DWORD event) {
    (void)event;
    return TRUE;
}

static void wait_for_end(HANDLE input) {
    char byte;
    DWORD read;
    while (ReadFile(input, &byte, 1, &read, NULL) && read > 0) {
    }
}

static int hold(const wchar_t *path) {
    HANDLE file = CreateFileW(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        return 1;
    }
    puts("held");
    fflush(stdout);
    wait_for_end(GetStdHandle(STD_INPUT_HANDLE));
    return 0;
}

static int interrupt(wchar_t *command_line) {
    STARTUPINFOW start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    DWORD code = 99;
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdInput = INVALID_HANDLE_VALUE;
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    /* Ctrl-C comes from a console, and goes to all that have the same. */
    FreeConsole();
    if (!AllocConsole() || !CreateProcessW(NULL, command_line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &process)) {
        return 98;
    }
    wait_for_end(input);
    SetConsoleCtrlHandler(ignore, TRUE);
    if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)) {
        return 97;
    }
    WaitForSingleObject(process.hProcess, 60000);
    GetExitCodeProcess(process.hProcess, &code);
    return (int)code;
}

static int run(wchar_t *command_line) {
    STARTUPINFOW start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    DWORD code = 99;
    FILE *ended = _wfopen(_wgetenv(L"GOSYNC_EXIT_CODE"), L"w");
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (!ended || !CreateProcessW(NULL, command_line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &process)) {
        return 98;
    }
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    fprintf(ended, "%d", (int)code);
    fclose(ended);
    return (int)code;
}

/* The command line behind `word`, which is the first of its arguments. Nothing before has one like it. */
static wchar_t *behind(const wchar_t *word) {
    return wcsstr(GetCommandLineW(), word) + wcslen(word);
}

int wmain(int count, wchar_t **words) {
    if (count == 3 && !wcscmp(words[1], L"hold")) {
        return hold(words[2]);
    }
    if (count >= 3 && !wcscmp(words[1], L"interrupt")) {
        return interrupt(behind(L" interrupt "));
    }
    if (count >= 3 && !wcscmp(words[1], L"run")) {
        return run(behind(L" run "));
    }
    return 96;
}
